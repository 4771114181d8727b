// Operators that make tensors: allocation and filling. They count as memory movement (they write).
#include <array>
#include <cmath>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
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
  // Cartesian ("xy") grids have the first two dimensions the other way round.
  if (operands.size() > 1 && operands.text(1) == "xy" && shape.size() > 1) {
    for (Type& result : results) {
      std::swap(result.shape[0], result.shape[1]);
      std::swap(result.strides[0], result.strides[1]);
    }
  }
  return results;
}

std::vector<Type> infer_scalar_tensor(const Operands& operands) {
  return {tensor_type(operands.dtype(1, DType::kFloat32), {})};
}

std::vector<Type> infer_empty_strided(const Operands& operands) {
  Type result = sized(operands, 0, DType::kFloat32)[0];
  result.strides = operands.integers(1);
  if (is_contiguous(result)) result.strides.clear();
  return {result};
}

std::vector<Type> infer_randperm(const Operands& operands) {
  return {tensor_type(operands.dtype(1, DType::kInt64), {operands.integer(0)})};
}

constexpr Traits kTraits = {.single_operation = true, .single_operand = true};

// --- ONNX: memory that PyTorch leaves as it is, is zeroed ---
template <std::size_t kSizeArg, int kValue>
void fill_sized(OnnxLowering& onnx) {
  onnx.result(onnx_rules::filled(onnx, onnx.integers(kSizeArg), kValue, onnx.result_type().dtype));
}

template <int kValue>
void fill_like(OnnxLowering& onnx) {
  onnx.result(onnx_rules::filled(onnx, onnx_rules::shape_operand(onnx, 0), kValue, onnx.result_type().dtype));
}

/// A number that may be computed, in a shape.
void fill_with(OnnxLowering& onnx, const OnnxLowering::Name& shape, std::size_t value_arg) {
  const DType dtype = onnx.result_type().dtype;
  if (std::holds_alternative<Use>(onnx.operands().raw(value_arg))) {
    return onnx.result(onnx.add("Expand", {onnx.tensor(value_arg, dtype), shape}));
  }
  onnx.result(onnx_rules::filled(onnx, shape, onnx.operands().number(value_arg), dtype));
}

void full(OnnxLowering& onnx) { fill_with(onnx, onnx.integers(0), 1); }
void new_full(OnnxLowering& onnx) { fill_with(onnx, onnx.integers(1), 2); }
void full_like(OnnxLowering& onnx) { fill_with(onnx, onnx_rules::shape_operand(onnx, 0), 1); }
void scalar_number(OnnxLowering& onnx) { onnx.result(onnx.tensor(0, onnx.result_type().dtype)); }

constexpr std::size_t kNoArgument = SIZE_MAX;

/// ONNX counts in few types: integers in int64, others in float.
void count(OnnxLowering& onnx, std::size_t start, std::size_t end, std::size_t step) {
  const DType dtype = onnx.result_type().dtype;
  const DType counted = is_floating(dtype) ? DType::kFloat32 : DType::kInt64;
  const auto first = start == kNoArgument ? onnx.scalar(0.0, counted) : onnx.tensor(start, counted);
  const auto by = step == kNoArgument ? onnx.scalar(1.0, counted) : onnx.tensor(step, counted);
  onnx.result(onnx.cast(onnx.add("Range", {first, onnx.tensor(end, counted), by}), counted, dtype));
}

void arange_to(OnnxLowering& onnx) { count(onnx, kNoArgument, 0, kNoArgument); }
void arange_from(OnnxLowering& onnx) { count(onnx, 0, 1, kNoArgument); }
void arange_by(OnnxLowering& onnx) { count(onnx, 0, 1, 2); }

/// Each operand along a dimension of its own, in the order of the operands.
void meshgrid(OnnxLowering& onnx) {
  if (onnx.operands().size() > 1 && onnx.operands().text(1) != "ij") onnx.unsupported("another order than 'ij'");
  const Shape& shape = onnx.result_type().shape;
  const OnnxLowering::Names names = onnx.tensors(0);
  for (std::size_t i = 0; i < names.size(); ++i) {
    Shape along(shape.size(), 1);
    along[i] = -1;
    onnx.result(onnx.add("Expand", {onnx.reshape(names[i], along), onnx.integer_constants(shape)}));
  }
}

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, LowerRule lower) {
  return {.schema = schema,
          .group = Group::kMemoryMovement,
          .variant = variant,
          .traits = kTraits,
          .infer = infer,
          .cost =
              [](const Operands&, std::span<const Type> results) {
                Cost cost;
                for (const Type& result : results) cost.bytes_written += result.alias ? 0.0 : bytes_of(result);
                return cost;
              },
          .lower = lower};
}

constexpr std::array kEntries = {
    entry("aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Arange", infer_arange, arange_to),
    entry("aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Arange", infer_arange_start, arange_from),
    entry("aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, "
          "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
          "Arange", infer_arange_step, arange_by),
    entry("aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Full", infer_zeros, fill_sized<0, 0>),
    entry("aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Full", infer_zeros, fill_sized<0, 1>),
    entry("aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Full", infer_full, full),
    entry("aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Empty", infer_zeros, fill_sized<0, 0>),
    entry("aten::empty_strided(SymInt[] size, SymInt[] stride, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Empty", infer_empty_strided, fill_sized<0, 0>),
    entry("aten::rand(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Random", infer_zeros, nullptr),
    entry("aten::randn(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Random", infer_zeros, nullptr),
    entry("aten::randperm(SymInt n, *, ScalarType? dtype=long, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Random", infer_randperm, nullptr),
    entry("aten::scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None) -> Tensor",
          "Full", infer_scalar_tensor, scalar_number),
    entry("aten::new_empty(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Empty", infer_new, fill_sized<1, 0>),
    entry("aten::new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Full", infer_new, fill_sized<1, 0>),
    entry("aten::new_ones(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None) -> Tensor",
          "Full", infer_new, fill_sized<1, 1>),
    entry("aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, "
          "Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor",
          "Full", infer_new, new_full),
    entry("aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Full", infer_like, fill_like<0>),
    entry("aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Full", infer_like, fill_like<1>),
    entry("aten::empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Empty", infer_like, fill_like<0>),
    entry("aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
          "Full", infer_like, full_like),
    entry("aten::meshgrid(Tensor[] tensors) -> Tensor[]", "Meshgrid", infer_meshgrid, meshgrid),
    entry("aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]", "Meshgrid", infer_meshgrid,
          meshgrid),
};

}  // namespace

std::span<const OpEntry> factory_entries() { return kEntries; }

}  // namespace nongemm
