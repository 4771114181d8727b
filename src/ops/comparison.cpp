// Comparisons and logic: element-wise, giving or combining masks. They count as element-wise arithmetic.
#include <array>

#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kBinary = {.single_operation = true};
constexpr Traits kUnary = {.single_operation = true, .single_operand = true};

constexpr OpEntry entry(std::string_view schema, std::string_view variant, Traits traits, InferRule infer) {
  return {.schema = schema,
          .group = Group::kArithmetic,
          .variant = variant,
          .traits = traits,
          .infer = infer,
          .cost = per_output<1>};
}

constexpr std::array kEntries = {
    entry("aten::eq.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::eq.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::ne.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::ne.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::lt.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::lt.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::le.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::le.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::gt.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::gt.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::ge.Tensor(Tensor self, Tensor other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::ge.Scalar(Tensor self, Scalar other) -> Tensor", "Compare", kBinary, comparison),
    entry("aten::__and__.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise),
    entry("aten::__or__.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise),
    entry("aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise),
    entry("aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, elementwise),
    entry("aten::bitwise_not(Tensor self) -> Tensor", "Logic", kUnary, like_first),
    entry("aten::logical_and(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, comparison),
    entry("aten::logical_or(Tensor self, Tensor other) -> Tensor", "Logic", kBinary, comparison),
    entry("aten::logical_not(Tensor self) -> Tensor", "Logic", kUnary, comparison),
};

}  // namespace

std::span<const OpEntry> comparison_entries() { return kEntries; }

}  // namespace nongemm
