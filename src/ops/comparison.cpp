// Comparisons and logic: element-wise, giving or combining masks. They count as element-wise arithmetic.
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kBinary = {.single_operation = true};
constexpr Traits kUnary = {.single_operation = true, .single_operand = true};

constexpr OpEntry entry(std::string_view schema, std::string_view variant, Traits traits, InferRule infer,
                        LowerRule lower) {
  return {.schema = schema,
          .group = Group::kArithmetic,
          .variant = variant,
          .traits = traits,
          .infer = infer,
          .cost = per_output<1>,
          .lower = lower};
}

// --- ONNX: logic is defined on truth values; on integers it acts on bits, which older opsets lack ---
void not_equal(OnnxLowering& onnx) {
  const DType dtype = promoted_dtype(onnx.operands());
  onnx.result(onnx.add("Not", {onnx.add("Equal", {onnx.tensor(0, dtype), onnx.tensor(1, dtype)})}));
}

template <OnnxType kType>
void logical(OnnxLowering& onnx) {
  onnx.result(onnx.add(kType.text, {onnx.tensor(0, DType::kBool), onnx.tensor(1, DType::kBool)}));
}

void logical_not(OnnxLowering& onnx) { onnx.result(onnx.add("Not", {onnx.tensor(0, DType::kBool)})); }

void check_bitwise(OnnxLowering& onnx) {
  if (onnx.result_type().dtype != DType::kBool && !onnx.at_least(18)) {
    onnx.unsupported("operators on bits came with opset 18", "choose a newer opset");
  }
}

template <OnnxType kType>
void bitwise(OnnxLowering& onnx) {
  check_bitwise(onnx);
  const DType dtype = onnx.result_type().dtype;
  const std::string prefix = dtype == DType::kBool ? "" : "Bitwise";
  onnx.result(onnx.add(prefix + kType.text, {onnx.tensor(0, dtype), onnx.tensor(1, dtype)}));
}

void bitwise_not(OnnxLowering& onnx) {
  check_bitwise(onnx);
  onnx.result(onnx.add(onnx.result_type().dtype == DType::kBool ? "Not" : "BitwiseNot", {onnx.tensor(0)}));
}

/// Of whole numbers none is either.
template <OnnxType kType>
void is_special(OnnxLowering& onnx) {
  onnx.result(onnx.add(kType.text,
                       {onnx.tensor(0, is_floating(onnx.operands().tensor(0).dtype) ? onnx.operands().tensor(0).dtype
                                                                                    : DType::kFloat32)}));
}

constexpr std::array kEntries = {
    entry("aten::eq.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"Equal">),
    entry("aten::eq.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"Equal">),
    entry("aten::ne.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison, not_equal),
    entry("aten::ne.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison, not_equal),
    entry("aten::lt.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"Less">),
    entry("aten::lt.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"Less">),
    entry("aten::le.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"LessOrEqual">),
    entry("aten::le.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"LessOrEqual">),
    entry("aten::gt.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"Greater">),
    entry("aten::gt.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"Greater">),
    entry("aten::ge.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"GreaterOrEqual">),
    entry("aten::ge.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison,
          onnx_rules::comparison<"GreaterOrEqual">),
    entry("aten::__and__.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise, bitwise<"And">),
    entry("aten::__or__.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise, bitwise<"Or">),
    entry("aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise,
          bitwise<"And">),
    entry("aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise, bitwise<"Or">),
    entry("aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise,
          bitwise<"Xor">),
    entry("aten::bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor", "Logic", kBinary, elementwise,
          bitwise<"And">),
    entry("aten::bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor", "Logic", kBinary, elementwise, bitwise<"Or">),
    entry("aten::bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor", "Logic", kBinary, elementwise,
          bitwise<"Xor">),
    entry("aten::bitwise_not(Tensor self) -> Tensor", "Logic", kUnary, like_first, bitwise_not),
    entry("aten::logical_and(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, comparison, logical<"And">),
    entry("aten::logical_or(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, comparison, logical<"Or">),
    entry("aten::logical_xor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, comparison, logical<"Xor">),
    entry("aten::isnan(Tensor self) -> Tensor", "Compare", kUnary, comparison, is_special<"IsNaN">),
    entry("aten::isinf(Tensor self) -> Tensor", "Compare", kUnary, comparison, is_special<"IsInf">),
    entry("aten::logical_not(Tensor self) -> Tensor", "Logic", kUnary, comparison, logical_not),
};

}  // namespace

std::span<const OpEntry> comparison_entries() { return kEntries; }

}  // namespace nongemm
