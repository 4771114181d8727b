// ONNX rules of arithmetic.cpp. Operands are converted as PyTorch promotes types; ONNX wants them equal.
#include <cmath>

#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;

DType computed_dtype(const OnnxLowering& onnx) { return rules::promoted_dtype(onnx.operands()); }

/// Finishes in the result's type: of an operator that works in place, its operand's.
void finish(OnnxLowering& onnx, Name value, DType dtype) {
  onnx.result(onnx.cast(std::move(value), dtype, onnx.result_type().dtype));
}

/// first + sign * alpha * second
void add_scaled(OnnxLowering& onnx, std::size_t first, std::size_t second, const char* type) {
  const DType dtype = computed_dtype(onnx);
  const std::size_t alpha = onnx.operands().position("alpha");
  Name term = onnx.tensor(second, dtype);
  if (onnx.operands().number(alpha) != 1.0) term = onnx.add("Mul", {term, onnx.tensor(alpha, dtype)});
  finish(onnx, onnx.add(type, {onnx.tensor(first, dtype), term}), dtype);
}

/// Of integers ONNX's Div rounds towards zero; subtracting the remainder first makes it round down.
Name floor_of_quotient(OnnxLowering& onnx, DType dtype) {
  const Name a = onnx.tensor(0, dtype);
  const Name b = onnx.tensor(1, dtype);
  if (is_floating(dtype)) return onnx.add("Floor", {onnx.add("Div", {a, b})});
  return onnx.add("Div", {onnx.add("Sub", {a, onnx.add("Mod", {a, b})}), b});
}

Name towards_zero(OnnxLowering& onnx, const Name& value) {
  return onnx.add("Mul", {onnx.add("Sign", {value}), onnx.add("Floor", {onnx.add("Abs", {value})})});
}

void clip(OnnxLowering& onnx, const std::size_t* low, const std::size_t* high) {
  const DType dtype = computed_dtype(onnx);
  OnnxLowering::Names inputs = {onnx.tensor(0, dtype), low != nullptr ? onnx.tensor(*low, dtype) : ""};
  if (high != nullptr) inputs.push_back(onnx.tensor(*high, dtype));
  finish(onnx, onnx.add("Clip", inputs), dtype);
}

}  // namespace

void add(OnnxLowering& onnx) { add_scaled(onnx, 0, 1, "Add"); }
void sub(OnnxLowering& onnx) { add_scaled(onnx, 0, 1, "Sub"); }
void rsub(OnnxLowering& onnx) { add_scaled(onnx, 1, 0, "Sub"); }

void divide(OnnxLowering& onnx) {
  DType dtype = computed_dtype(onnx);
  if (!is_floating(dtype)) dtype = DType::kFloat32;
  finish(onnx, onnx.add("Div", {onnx.tensor(0, dtype), onnx.tensor(1, dtype)}), dtype);
}

void divide_mode(OnnxLowering& onnx) {
  if (!onnx.operands().has(2)) return divide(onnx);
  const DType dtype = computed_dtype(onnx);
  if (onnx.operands().text(2) == "floor") return finish(onnx, floor_of_quotient(onnx, dtype), dtype);
  const Name quotient = onnx.add("Div", {onnx.tensor(0, dtype), onnx.tensor(1, dtype)});
  finish(onnx, is_floating(dtype) ? towards_zero(onnx, quotient) : quotient, dtype);
}

void floor_divide(OnnxLowering& onnx) {
  const DType dtype = computed_dtype(onnx);
  finish(onnx, floor_of_quotient(onnx, dtype), dtype);
}

/// With the sign of the divisor: ONNX's Mod does so for integers only.
void remainder(OnnxLowering& onnx) {
  const DType dtype = computed_dtype(onnx);
  const Name a = onnx.tensor(0, dtype);
  const Name b = onnx.tensor(1, dtype);
  if (!is_floating(dtype)) return finish(onnx, onnx.add("Mod", {a, b}), dtype);
  finish(onnx, onnx.add("Sub", {a, onnx.add("Mul", {b, floor_of_quotient(onnx, dtype)})}), dtype);
}

void clamp(OnnxLowering& onnx) {
  constexpr std::size_t kLow = 1;
  constexpr std::size_t kHigh = 2;
  clip(onnx, onnx.operands().has(kLow) ? &kLow : nullptr, onnx.operands().has(kHigh) ? &kHigh : nullptr);
}

void clamp_min(OnnxLowering& onnx) {
  constexpr std::size_t kLow = 1;
  clip(onnx, &kLow, nullptr);
}

void clamp_max(OnnxLowering& onnx) {
  constexpr std::size_t kHigh = 1;
  clip(onnx, nullptr, &kHigh);
}

void diff(OnnxLowering& onnx) {
  if (onnx.operands().integer(1) != 1) onnx.unsupported("differences of more than first order");
  const Type& self = onnx.operands().tensor(0);
  const std::size_t dim = rules::sized_dim(onnx.operands().integer(2), self.shape);
  OnnxLowering::Names parts;
  for (const std::size_t i : {std::size_t{3}, std::size_t{0}, std::size_t{4}}) {
    if (onnx.operands().has(i)) parts.push_back(onnx.tensor(i, self.dtype));
  }
  const Name all = parts.size() == 1 ? parts[0] : onnx.concat(parts, static_cast<std::int64_t>(dim));
  const Name first = onnx.slice(all, dim, onnx.integer_constants({0}), onnx.integer_constants({-1}));
  const Name second = onnx.slice(all, dim, onnx.integer_constants({1}), onnx.integer_constants({INT64_MAX}));
  onnx.result(onnx.add("Sub", {second, first}));
}

void square(OnnxLowering& onnx) {
  const Name x = onnx.tensor(0);
  onnx.result(onnx.add("Mul", {x, x}));
}

void expm1(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  onnx.result(onnx.add("Sub", {onnx.add("Exp", {onnx.tensor(0, dtype)}), onnx.scalar(1.0, dtype)}));
}

void log2(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  // A division by the rounded log(2) gives exact results for powers of two, a multiplication does not.
  onnx.result(onnx.add("Div", {onnx.add("Log", {onnx.tensor(0, dtype)}), onnx.scalar(std::log(2.0), dtype)}));
}

void log1p(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  onnx.result(onnx.add("Log", {onnx.add("Add", {onnx.tensor(0, dtype), onnx.scalar(1.0, dtype)})}));
}

void log10(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  onnx.result(onnx.add("Div", {onnx.add("Log", {onnx.tensor(0, dtype)}), onnx.scalar(std::log(10.0), dtype)}));
}

void trunc(OnnxLowering& onnx) {
  const Name x = onnx.tensor(0);
  onnx.result(is_floating(onnx.result_type().dtype) ? towards_zero(onnx, x) : x);
}

/// With the sign of the dividend.
void fmod(OnnxLowering& onnx) {
  const DType dtype = computed_dtype(onnx);
  finish(onnx, onnx.add("Mod", {onnx.tensor(0, dtype), onnx.tensor(1, dtype)}, {{"fmod", std::int64_t{1}}}), dtype);
}

/// The arc tangent of the quotient, half a turn further on where the divisor is negative. Nothing over nothing is 0.
void atan2(OnnxLowering& onnx) {
  constexpr double kHalfTurn = 3.14159265358979323846;
  const DType dtype = onnx.result_type().dtype;
  const Name y = onnx.tensor(0, dtype);
  const Name x = onnx.tensor(1, dtype);
  const Name zero = onnx.scalar(0.0, dtype);
  const Name angle = onnx.add("Atan", {onnx.add("Div", {y, x})});
  const Name below = onnx.add("Less", {y, zero});
  const Name turn = onnx.add("Where", {below, onnx.scalar(-kHalfTurn, dtype), onnx.scalar(kHalfTurn, dtype)});
  const Name turned = onnx.add("Where", {onnx.add("Less", {x, zero}), onnx.add("Add", {angle, turn}), angle});
  const Name both = onnx.add("And", {onnx.add("Equal", {x, zero}), onnx.add("Equal", {y, zero})});
  onnx.result(onnx.add("Where", {both, zero, turned}));
}

void clamp_tensor(OnnxLowering& onnx) {
  const DType dtype = computed_dtype(onnx);
  Name value = onnx.tensor(0, dtype);
  if (onnx.operands().has(1)) value = onnx.add("Max", {value, onnx.tensor(1, dtype)});
  if (onnx.operands().has(2)) value = onnx.add("Min", {value, onnx.tensor(2, dtype)});
  finish(onnx, value, dtype);
}

void rsqrt(OnnxLowering& onnx) {
  onnx.result(onnx.add("Reciprocal", {onnx.add("Sqrt", {onnx.tensor(0, onnx.result_type().dtype)})}));
}

void where(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  onnx.result(onnx.add("Where", {onnx.tensor(0, DType::kBool), onnx.tensor(1, dtype), onnx.tensor(2, dtype)}));
}

void masked_fill(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  onnx.result(onnx.add("Where", {onnx.tensor(1, DType::kBool), onnx.tensor(2, dtype), onnx.tensor(0)}));
}

}  // namespace nongemm::onnx_rules
