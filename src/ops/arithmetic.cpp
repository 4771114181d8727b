// Element-wise arithmetic. Paper II-A2.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kBinary = {.single_operation = true};
constexpr Traits kUnary = {.single_operation = true, .single_operand = true};
constexpr Traits kUnaryNonlinear = {.single_operation = true, .single_operand = true, .nonlinear = true};

constexpr OpEntry entry(std::string_view schema, std::string_view variant, Traits traits, InferRule infer,
                        LowerRule lower, CostRule cost = per_output<1>) {
  return {.schema = schema,
          .group = Group::kArithmetic,
          .variant = variant,
          .traits = traits,
          .infer = infer,
          .cost = cost,
          .lower = lower};
}

/// The same of complex numbers, each operation of which is `work` of real ones.
constexpr OpEntry complex(double work, OpEntry entry) {
  entry.complex_work = work;
  return entry;
}

/// A division that rounds keeps integers, a true one does not.
std::vector<Type> divide_mode(const Operands& operands) {
  return operands.has(2) ? elementwise(operands) : elementwise_float(operands);
}

std::vector<Type> where_rule(const Operands& operands) {
  std::vector<Type> result = elementwise(operands);
  // The condition takes part in the shape, not in the dtype.
  Node branches = operands.node();
  branches.args[0] = std::monostate{};
  result[0].dtype = promoted_dtype(Operands(operands.graph(), branches, operands.schema()));
  return result;
}

std::vector<Type> where_numbers(const Operands& operands) {
  const bool integers = std::holds_alternative<std::int64_t>(operands.node().args[1]) &&
                        std::holds_alternative<std::int64_t>(operands.node().args[2]);
  return {tensor_type(integers ? DType::kInt64 : DType::kFloat32, operands.tensor(0).shape)};
}

/// Differences of neighbours along a dimension, which may first be lengthened at its ends.
std::vector<Type> diff_rule(const Operands& operands) {
  const Type& self = operands.tensor(0);
  Type result = tensor_type(self.dtype, self.shape);
  const std::size_t dim = sized_dim(operands.integer(2), self.shape);
  std::int64_t& size = result.shape[dim];
  for (std::size_t i : {std::size_t{3}, std::size_t{4}}) {
    if (!operands.has(i)) continue;
    const std::int64_t more = operands.tensor(i).shape.at(dim);
    size = size == kDynamic || more == kDynamic ? kDynamic : size + more;
  }
  if (size != kDynamic) size = std::max<std::int64_t>(size - operands.integer(1), 0);
  return {result};
}

std::vector<Type> clamp_rule(const Operands& operands) { return elementwise(operands); }

/// (self, other, out): into a tensor that is there, of the result's shape.
std::vector<Type> into_given(const Operands& operands) {
  Type out = operands.tensor(2);
  const Shape shape = broadcast(operands.tensor(0).shape, operands.tensor(1).shape);
  if (out.shape != shape) {
    throw Error(ErrorKind::kBadInput,
                operands.node().op + ": its result is " + to_string(shape) + ", 'out' is " + to_string(out.shape));
  }
  out.alias = true;
  return {out};
}

/// What was in it is not read.
Cost cost_into_given(const Operands& operands, std::span<const Type> results) {
  Cost cost = per_output<1>(operands, results);
  cost.bytes_read -= bytes_of(operands.tensor(2));
  return cost;
}

/// The second operand's is the memory order that counts.
std::vector<Type> infer_rsub(const Operands& operands) {
  Type result = elementwise(operands)[0];
  const Type& other = operands.tensor(1);
  if (other.shape == result.shape && is_dense(other)) result.strides = other.strides;
  return {result};
}

constexpr std::array kEntries = {
    complex(2, entry("aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", "Add", kBinary,
                     elementwise, onnx_rules::add)),
    entry("aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", "Add", kBinary, elementwise,
          onnx_rules::add),
    entry("aten::add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)", "Add", kBinary, in_place,
          onnx_rules::add),
    complex(2, entry("aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", "Sub", kBinary,
                     elementwise, onnx_rules::sub)),
    entry("aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", "Sub", kBinary, elementwise,
          onnx_rules::sub),
    entry("aten::sub_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)", "Sub", kBinary, in_place,
          onnx_rules::sub),
    entry("aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", "Sub", kBinary, elementwise,
          onnx_rules::rsub),
    entry("aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", "Sub", kBinary, infer_rsub,
          onnx_rules::rsub),
    complex(6, entry("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor", "Mul", kBinary, elementwise,
                     onnx_rules::binary<"Mul">)),
    complex(2, entry("aten::mul.Scalar(Tensor self, Scalar other) -> Tensor", "Mul", kBinary, elementwise,
                     onnx_rules::binary<"Mul">)),
    entry("aten::mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", "Mul", kBinary, in_place,
          onnx_rules::binary<"Mul">),
    entry("aten::div.Tensor(Tensor self, Tensor other) -> Tensor", "TrueDiv", kBinary, elementwise_float,
          onnx_rules::divide),
    entry("aten::div.Scalar(Tensor self, Scalar other) -> Tensor", "TrueDiv", kBinary, elementwise_float,
          onnx_rules::divide),
    entry("aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", "Div", kBinary,
          divide_mode, onnx_rules::divide_mode),
    entry("aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor", "Div", kBinary,
          divide_mode, onnx_rules::divide_mode),
    entry("aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor", "Remainder", kBinary, elementwise,
          onnx_rules::fmod),
    entry("aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor", "Remainder", kBinary, elementwise,
          onnx_rules::fmod),
    entry("aten::atan2(Tensor self, Tensor other) -> Tensor", "Atan2", kBinary, elementwise_float, onnx_rules::atan2),
    entry("aten::atan2.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)", "Atan2", kBinary, into_given,
          onnx_rules::atan2, cost_into_given),
    entry("aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", "Clamp", kBinary, clamp_rule,
          onnx_rules::clamp_tensor, per_output<2>),
    entry("aten::div_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)", "TrueDiv", kBinary, in_place,
          onnx_rules::divide),
    entry("aten::floor_divide(Tensor self, Tensor other) -> Tensor", "FloorDiv", kBinary, elementwise,
          onnx_rules::floor_divide),
    entry("aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor", "Remainder", kBinary, elementwise,
          onnx_rules::remainder),
    entry("aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor", "Remainder", kBinary, elementwise,
          onnx_rules::remainder),
    entry("aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", "Pow", kUnaryNonlinear, elementwise,
          onnx_rules::binary<"Pow">),
    entry("aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor", "Pow", kUnaryNonlinear, elementwise,
          onnx_rules::binary<"Pow">),
    entry("aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", "Pow", kBinary, elementwise,
          onnx_rules::binary<"Pow">),
    entry("aten::maximum(Tensor self, Tensor other) -> Tensor", "Maximum", kBinary, elementwise,
          onnx_rules::binary<"Max">),
    entry("aten::minimum(Tensor self, Tensor other) -> Tensor", "Minimum", kBinary, elementwise,
          onnx_rules::binary<"Min">),
    entry("aten::max.other(Tensor self, Tensor other) -> Tensor", "Maximum", kBinary, elementwise,
          onnx_rules::binary<"Max">),
    entry("aten::min.other(Tensor self, Tensor other) -> Tensor", "Minimum", kBinary, elementwise,
          onnx_rules::binary<"Min">),
    entry("aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", "Clamp", kUnary, clamp_rule,
          onnx_rules::clamp, per_output<2>),
    entry("aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", "Clamp", kUnary, clamp_rule,
          onnx_rules::clamp, per_output<2>),
    entry("aten::clamp_(Tensor(a!) self, Scalar? min=None, Scalar? max=None) -> Tensor(a!)", "Clamp", kUnary, in_place,
          onnx_rules::clamp, per_output<2>),
    entry("aten::clamp_min(Tensor self, Scalar min) -> Tensor", "Clamp", kUnary, clamp_rule, onnx_rules::clamp_min),
    entry("aten::clamp_max(Tensor self, Scalar max) -> Tensor", "Clamp", kUnary, clamp_rule, onnx_rules::clamp_max),
    entry("aten::diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor", "Sub",
          kUnary, diff_rule, onnx_rules::diff),
    complex(2, entry("aten::neg(Tensor self) -> Tensor", "Neg", kUnary, like_first, onnx_rules::unary<"Neg">)),
    entry("aten::abs(Tensor self) -> Tensor", "Abs", kUnary, like_first, onnx_rules::unary<"Abs">),
    entry("aten::sign(Tensor self) -> Tensor", "Sign", kUnary, like_first, onnx_rules::unary<"Sign">),
    entry("aten::square(Tensor self) -> Tensor", "Square", kUnaryNonlinear, like_first, onnx_rules::square),
    entry("aten::floor(Tensor self) -> Tensor", "Floor", kUnary, like_first, onnx_rules::unary<"Floor">),
    entry("aten::ceil(Tensor self) -> Tensor", "Ceil", kUnary, like_first, onnx_rules::unary<"Ceil">),
    entry("aten::round(Tensor self) -> Tensor", "Round", kUnary, like_first, onnx_rules::unary<"Round">),
    entry("aten::exp(Tensor self) -> Tensor", "Exp", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Exp">),
    entry("aten::expm1(Tensor self) -> Tensor", "Exp", kUnaryNonlinear, elementwise_float, onnx_rules::expm1),
    entry("aten::log(Tensor self) -> Tensor", "Log", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Log">),
    entry("aten::log2(Tensor self) -> Tensor", "Log", kUnaryNonlinear, elementwise_float, onnx_rules::log2),
    entry("aten::log1p(Tensor self) -> Tensor", "Log", kUnaryNonlinear, elementwise_float, onnx_rules::log1p),
    entry("aten::sqrt(Tensor self) -> Tensor", "Sqrt", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Sqrt">),
    entry("aten::rsqrt(Tensor self) -> Tensor", "Rsqrt", kUnaryNonlinear, elementwise_float, onnx_rules::rsqrt),
    entry("aten::reciprocal(Tensor self) -> Tensor", "Reciprocal", kUnaryNonlinear, elementwise_float,
          onnx_rules::unary<"Reciprocal">),
    entry("aten::sin(Tensor self) -> Tensor", "Sin", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Sin">),
    entry("aten::cos(Tensor self) -> Tensor", "Cos", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Cos">),
    entry("aten::tan(Tensor self) -> Tensor", "Tan", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Tan">),
    entry("aten::asin(Tensor self) -> Tensor", "Asin", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Asin">),
    entry("aten::acos(Tensor self) -> Tensor", "Acos", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Acos">),
    entry("aten::atan(Tensor self) -> Tensor", "Atan", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Atan">),
    entry("aten::sinh(Tensor self) -> Tensor", "Sinh", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Sinh">),
    entry("aten::cosh(Tensor self) -> Tensor", "Cosh", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Cosh">),
    entry("aten::asinh(Tensor self) -> Tensor", "Asinh", kUnaryNonlinear, elementwise_float,
          onnx_rules::unary<"Asinh">),
    entry("aten::acosh(Tensor self) -> Tensor", "Acosh", kUnaryNonlinear, elementwise_float,
          onnx_rules::unary<"Acosh">),
    entry("aten::atanh(Tensor self) -> Tensor", "Atanh", kUnaryNonlinear, elementwise_float,
          onnx_rules::unary<"Atanh">),
    entry("aten::log10(Tensor self) -> Tensor", "Log", kUnaryNonlinear, elementwise_float, onnx_rules::log10),
    entry("aten::trunc(Tensor self) -> Tensor", "Trunc", kUnary, like_first, onnx_rules::trunc),
    entry("aten::erf(Tensor self) -> Tensor", "Erf", kUnaryNonlinear, elementwise_float, onnx_rules::unary<"Erf">),
    entry("aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor", "Where", kBinary, where_rule,
          onnx_rules::where),
    entry("aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor", "Where", kBinary,
          where_rule, onnx_rules::where),
    entry("aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor", "Where", kBinary, where_rule,
          onnx_rules::where),
    entry("aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor", "Where", kBinary, where_numbers,
          onnx_rules::where),
    entry(
        "aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor", "MaskedFill", kBinary,
        [](const Operands& operands) {
          std::vector<Type> result = elementwise(operands);
          result[0].dtype = operands.tensor(0).dtype;
          return result;
        },
        onnx_rules::masked_fill),
    entry("aten::masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)", "MaskedFill", kBinary,
          in_place, onnx_rules::masked_fill),
};

}  // namespace

std::span<const OpEntry> arithmetic_entries() { return kEntries; }

}  // namespace nongemm
