// Host synchronisation: operators whose result the host must wait for before it can go on.
#include <array>

#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

std::vector<Type> infer_item(const Operands& operands) {
  const DType dtype = operands.tensor(0).dtype;
  Type type;
  type.kind = dtype == DType::kBool ? Type::Kind::kBool : is_floating(dtype) ? Type::Kind::kFloat : Type::Kind::kInt;
  type.dtype = dtype;
  return {type};
}

std::vector<Type> infer_is_nonzero(const Operands&) {
  Type type;
  type.kind = Type::Kind::kBool;
  type.dtype = DType::kBool;
  return {type};
}

std::vector<Type> infer_nonzero(const Operands& operands) {
  const auto rank = static_cast<std::int64_t>(operands.tensor(0).shape.size());
  return {tensor_type(DType::kInt64, {kDynamic, rank})};
}

/// where(condition): one index tensor per dimension.
std::vector<Type> infer_where(const Operands& operands) {
  return std::vector<Type>(operands.tensor(0).shape.size(), tensor_type(DType::kInt64, {kDynamic}));
}

constexpr Traits kTraits = {.single_operation = true, .single_operand = true, .dynamic = true};

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer) {
  return {.schema = schema,
          .group = Group::kSynchronisation,
          .variant = variant,
          .traits = kTraits,
          .infer = infer,
          .cost = moves};
}

constexpr std::array kEntries = {
    entry("aten::item(Tensor self) -> Scalar", "Item", infer_item),
    entry("aten::is_nonzero(Tensor self) -> bool", "IsNonzero", infer_is_nonzero),
    entry("aten::nonzero(Tensor self) -> Tensor", "Nonzero", infer_nonzero),
    entry("aten::where(Tensor condition) -> Tensor[]", "Nonzero", infer_where),
};

}  // namespace

std::span<const OpEntry> synchronisation_entries() { return kEntries; }

}  // namespace nongemm
