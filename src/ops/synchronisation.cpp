// Host synchronisation: operators whose result the host must wait for before it can go on.
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
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

// --- ONNX: numbers on the host are tensors without dimensions, integers among them int64 ---
void number(OnnxLowering& onnx) {
  const Type& type = onnx.result_type();
  const DType dtype = type.kind == Type::Kind::kInt ? DType::kInt64 : type.dtype;
  const auto value = onnx.tensor(0, dtype);
  onnx.result(onnx.operands().tensor(0).shape.empty() ? value : onnx.reshape(value, {}));
}

/// ONNX gives one row for each dimension.
OnnxLowering::Name positions(OnnxLowering& onnx) { return onnx.add("NonZero", {onnx.tensor(0)}); }

void nonzero(OnnxLowering& onnx) { onnx.result(onnx.transpose(positions(onnx), {1, 0})); }

void where_true(OnnxLowering& onnx) {
  const auto all = positions(onnx);
  for (std::size_t i = 0; i < onnx.result_count(); ++i) onnx.result(onnx.pick(all, i));
}

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, LowerRule lower) {
  return {.schema = schema,
          .group = Group::kSynchronisation,
          .variant = variant,
          .traits = kTraits,
          .infer = infer,
          .cost = moves,
          .lower = lower};
}

constexpr std::array kEntries = {
    entry("aten::item(Tensor self) -> Scalar", "Item", infer_item, number),
    entry("aten::_local_scalar_dense(Tensor self) -> Scalar", "Item", infer_item, number),
    entry("aten::is_nonzero(Tensor self) -> bool", "IsNonzero", infer_is_nonzero, number),
    entry("aten::nonzero(Tensor self) -> Tensor", "Nonzero", infer_nonzero, nonzero),
    entry("aten::where(Tensor condition) -> Tensor[]", "Nonzero", infer_where, where_true),
};

}  // namespace

std::span<const OpEntry> synchronisation_entries() { return kEntries; }

}  // namespace nongemm
