// Operators that make tensors: allocation and filling. They count as memory movement (they write).
#include <array>
#include <cmath>

#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

DType number_dtype(const Operands& operands, std::size_t arg) {
  if (operands.is_float(arg)) return DType::kFloat32;
  return std::holds_alternative<bool>(operands.raw(arg)) ? DType::kBool : DType::kInt64;
}

std::vector<Type> sized(const Operands& operands, std::size_t size_arg, DType otherwise) {
  return {tensor_type(operands.dtype(operands.position("dtype"), otherwise), operands.integers(size_arg))};
}

std::vector<Type> infer_zeros(const Operands& operands) { return sized(operands, 0, DType::kFloat32); }
std::vector<Type> infer_full(const Operands& operands) { return sized(operands, 0, number_dtype(operands, 1)); }
std::vector<Type> infer_new(const Operands& operands) { return sized(operands, 1, operands.tensor(0).dtype); }

std::vector<Type> infer_like(const Operands& operands) {
  std::vector<Type> result = like_first(operands);
  result[0].dtype = operands.dtype(operands.position("dtype"), result[0].dtype);
  return result;
}

std::vector<Type> range(const Operands& operands, std::size_t start, std::size_t end, std::size_t step) {
  const bool has_start = start < end;
  const bool has_step = step > end;
  bool floating = operands.is_float(end);
  bool known = !std::holds_alternative<Use>(operands.raw(end));
  if (has_start) {
    floating = floating || operands.is_float(start);
    known = known && !std::holds_alternative<Use>(operands.raw(start));
  }
  if (has_step) floating = floating || operands.is_float(step);
  const DType dtype = operands.dtype(operands.position("dtype"), floating ? DType::kFloat32 : DType::kInt64);
  if (!known) return {tensor_type(dtype, {kDynamic})};
  const double low = has_start ? operands.number(start) : 0.0;
  const double by = has_step ? operands.number(step) : 1.0;
  return {tensor_type(dtype, {static_cast<std::int64_t>(std::ceil((operands.number(end) - low) / by))})};
}

std::vector<Type> infer_arange(const Operands& operands) { return range(operands, 0, 0, 0); }
std::vector<Type> infer_arange_start(const Operands& operands) { return range(operands, 0, 1, 1); }
std::vector<Type> infer_arange_step(const Operands& operands) { return range(operands, 0, 1, 2); }

std::vector<Type> infer_meshgrid(const Operands& operands) {
  Shape shape;
  const std::vector<const Type*> tensors = operands.tensors(0);
  for (const Type* tensor : tensors) shape.push_back(tensor->shape.empty() ? 1 : tensor->shape[0]);
  std::vector<Type> results;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    Type result = tensor_type(tensors[i]->dtype, shape);
    result.strides.assign(shape.size(), 0);
    result.strides[i] = 1;
    result.alias = true;
    results.push_back(result);
  }
  return results;
}

std::vector<Type> infer_scalar_tensor(const Operands& operands) {
  return {tensor_type(operands.dtype(1, DType::kFloat32), {})};
}

constexpr Traits kTraits = {.single_operation = true, .single_operand = true};

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer) {
  return {.schema = schema,
          .group = Group::kMemoryMovement,
          .variant = variant,
          .traits = kTraits,
          .infer = infer,
          .cost = [](const Operands&, std::span<const Type> results) {
            Cost cost;
            for (const Type& result : results) cost.bytes_written += result.alias ? 0.0 : bytes_of(result);
            return cost;
          }};
}

constexpr std::array kEntries = {
    entry("aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Arange", infer_arange),
    entry("aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Arange", infer_arange_start),
    entry("aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, "
          "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
          "Arange", infer_arange_step),
    entry("aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Full", infer_zeros),
    entry("aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Full", infer_zeros),
    entry("aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Full", infer_full),
    entry("aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Empty", infer_zeros),
    entry("aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Full", infer_scalar_tensor),
    entry("aten::new_empty(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Empty", infer_new),
    entry("aten::new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Full", infer_new),
    entry("aten::new_ones(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Full", infer_new),
    entry("aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, "
          "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
          "Full", infer_new),
    entry("aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Full", infer_like),
    entry("aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Full", infer_like),
    entry("aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Full", infer_like),
    entry("aten::meshgrid(Tensor[] tensors) -> Tensor[]", "Meshgrid", infer_meshgrid),
    entry("aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]", "Meshgrid", infer_meshgrid),
};

}  // namespace

std::span<const OpEntry> factory_entries() { return kEntries; }

}  // namespace nongemm
