// Memory operators that copy: casts, concatenation, gathering, padding, shifting.
#include <array>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

// --- to: a copy only when the dtype changes (or copy=True); device moves are not part of a model's graph ---
std::vector<Type> converted(const Operands& operands, DType dtype) {
  const Type& self = operands.tensor(0);
  const bool copy = operands.flag(operands.position("copy"));
  if (dtype == self.dtype && !copy) return alias_of_first(operands);
  std::vector<Type> result = like_first(operands);
  result[0].dtype = dtype;
  return result;
}

std::vector<Type> infer_to(const Operands& operands) {
  return converted(operands, operands.dtype(operands.position("dtype"), operands.tensor(0).dtype));
}

std::vector<Type> infer_to_other(const Operands& operands) { return converted(operands, operands.tensor(1).dtype); }

/// type_as has no `copy`: an alias where nothing changes.
std::vector<Type> infer_type_as(const Operands& operands) {
  if (operands.tensor(0).dtype == operands.tensor(1).dtype) return alias_of_first(operands);
  std::vector<Type> result = like_first(operands);
  result[0].dtype = operands.tensor(1).dtype;
  return result;
}

std::vector<Type> infer_to_copy(const Operands& operands) {
  std::vector<Type> result = like_first(operands);
  result[0].dtype = operands.dtype(1, result[0].dtype);
  return result;
}

std::vector<Type> infer_clone(const Operands& operands) {
  const std::string_view format = operands.has(1) ? operands.text(1) : "preserve_format";
  if (format == "preserve_format") return like_first(operands);
  std::vector<Type> result = contiguous_like_first(operands);
  if (format == "channels_last" && result[0].shape.size() == 4) lay_channels_last(result[0]);
  return result;
}

// --- cat: PyTorch skips empty one-dimensional tensors, which the first step of a KV cache relies on ---
std::vector<Type> infer_cat(const Operands& operands) {
  const Type* first = nullptr;
  std::int64_t total = 0;
  std::size_t dim = 0;
  DType dtype = DType::kUndefined;
  bool channels_last = true;
  for (const Type* tensor : operands.tensors(0)) {
    if (tensor == nullptr) throw Error(ErrorKind::kBadInput, "cat of an absent tensor");
    if (dtype == DType::kUndefined || is_floating(tensor->dtype)) dtype = tensor->dtype;
    if (tensor->shape.size() == 1 && tensor->shape[0] == 0) continue;
    channels_last = channels_last && is_channels_last(*tensor);
    if (first == nullptr) {
      first = tensor;
      dim = sized_dim(operands.integer(1), tensor->shape);
    }
    if (tensor->shape.size() != first->shape.size()) {
      throw Error(ErrorKind::kBadInput,
                  "cat of " + to_string(first->shape) + " with " + to_string(tensor->shape) + ": ranks differ");
    }
    for (std::size_t i = 0; i < first->shape.size(); ++i) {
      const bool unknown = first->shape[i] == kDynamic || tensor->shape[i] == kDynamic;
      if (i != dim && !unknown && first->shape[i] != tensor->shape[i]) {
        throw Error(ErrorKind::kBadInput, "cat of " + to_string(first->shape) + " with " + to_string(tensor->shape));
      }
    }
    total = total == kDynamic || tensor->shape[dim] == kDynamic ? kDynamic : total + tensor->shape[dim];
  }
  if (first == nullptr) return {tensor_type(dtype, {0})};
  Type result = tensor_type(dtype, first->shape);
  result.shape[dim] = total;
  if (channels_last) lay_channels_last(result);
  return {result};
}

std::vector<Type> infer_stack(const Operands& operands) {
  const std::vector<const Type*> tensors = operands.tensors(0);
  if (tensors.empty()) throw Error(ErrorKind::kBadInput, "stack of no tensors");
  Shape shape = tensors[0]->shape;
  const std::size_t dim = wrap_dim(operands.integer(1), shape.size() + 1);
  const bool list = tensors[0]->kind == Type::Kind::kTensorList;
  const std::int64_t count = list ? kDynamic : static_cast<std::int64_t>(tensors.size());
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(dim), count);
  return {tensor_type(tensors[0]->dtype, shape)};
}

// --- index: advanced indexing with integer tensors or boolean masks ---
std::vector<Type> infer_index(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::vector<const Type*> indices = operands.tensors(1);
  Shape gathered;  // broadcast of all index shapes
  Shape kept_before;
  Shape kept_after;
  bool seen = false;
  bool gap = false;  // a kept dimension between indexed ones moves the result to the front
  bool after_gap = false;
  std::size_t dim = 0;
  for (const Type* index : indices) {
    if (index == nullptr) {
      (seen ? kept_after : kept_before).push_back(self.shape.at(dim++));
      if (seen) gap = true;
      continue;
    }
    if (gap) after_gap = true;
    const bool mask = index->dtype == DType::kBool || index->dtype == DType::kUInt8;
    gathered = broadcast(gathered, mask ? Shape{kDynamic} : index->shape);
    dim += mask ? index->shape.size() : 1;
    seen = true;
  }
  for (; dim < self.shape.size(); ++dim) (seen ? kept_after : kept_before).push_back(self.shape[dim]);
  Shape shape;
  if (!after_gap) shape = kept_before;
  shape.insert(shape.end(), gathered.begin(), gathered.end());
  if (after_gap) shape.insert(shape.end(), kept_before.begin(), kept_before.end());
  shape.insert(shape.end(), kept_after.begin(), kept_after.end());
  return {tensor_type(self.dtype, shape)};
}

std::vector<Type> infer_gather(const Operands& operands) {
  return {tensor_type(operands.tensor(0).dtype, operands.tensor(2).shape)};
}

std::vector<Type> infer_index_select(const Operands& operands) {
  const Type& self = operands.tensor(0);
  Shape shape = self.shape;
  const Shape& index = operands.tensor(2).shape;
  shape[sized_dim(operands.integer(1), shape)] = index.empty() ? 1 : index[0];
  return {tensor_type(self.dtype, shape)};
}

/// Gathering reads as much as it writes, not the whole table.
Cost cost_gather(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const double table = bytes_of(operands.tensor(0));
  cost.bytes_read += std::min(table, bytes_of(results[0])) - table;
  return cost;
}

std::vector<Type> infer_repeat(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::vector<std::int64_t> repeats = operands.integers(1);
  Shape shape(repeats.size() - self.shape.size(), 1);
  shape.insert(shape.end(), self.shape.begin(), self.shape.end());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    shape[i] = shape[i] == kDynamic || repeats[i] == kDynamic ? kDynamic : shape[i] * repeats[i];
  }
  return {tensor_type(self.dtype, shape)};
}

std::vector<Type> infer_repeat_interleave(const Operands& operands) {
  const Type& self = operands.tensor(0);
  if (!operands.has(2)) return {tensor_type(self.dtype, {element_count(self.shape) * operands.integer(1)})};
  Shape shape = self.shape;
  shape[sized_dim(operands.integer(2), shape)] *= operands.integer(1);
  return {tensor_type(self.dtype, shape)};
}

/// The result has the memory order of operand 0; only the touched part is written.
Cost cost_write(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.bytes_read -= bytes_of(operands.tensor(0));
  return cost;
}

constexpr Traits kTraits = {.single_operation = true, .single_operand = true};
constexpr Traits kManyOperands = {.single_operation = true};
constexpr Traits kIndexed = {.single_operation = true, .dynamic = true};

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, LowerRule lower,
                        Traits traits = kTraits, CostRule cost = moves) {
  return {.schema = schema,
          .group = Group::kMemoryMovement,
          .variant = variant,
          .traits = traits,
          .infer = infer,
          .cost = cost,
          .lower = lower,
          .lower_write = infer == infer_to || infer == infer_type_as ? onnx_rules::write_same_elements : nullptr};
}

/// (self [n, c * kernel, places] or without n, output_size, kernel, ...): patches added up to a map.
std::vector<Type> infer_col2im(const Operands& operands) {
  const Type& self = operands.tensor(0, 2);
  const std::vector<std::int64_t> size = operands.pair(1, 0);
  const std::vector<std::int64_t> kernel = operands.pair(2, 1);
  Shape shape(self.shape.begin(), self.shape.end() - 1);
  const std::int64_t patch = kernel[0] * kernel[1];
  if (patch < 1 || (shape.back() != kDynamic && shape.back() % patch != 0)) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": " + to_string(self.shape) + " holds no patches of " +
                                          std::to_string(patch) + " elements");
  }
  if (shape.back() != kDynamic) shape.back() /= patch;
  shape.insert(shape.end(), size.begin(), size.end());
  return {tensor_type(self.dtype, shape)};
}

/// In inference a copy, and a mask of ones.
std::vector<Type> infer_native_dropout(const Operands& operands) {
  Type mask = like_first(operands)[0];
  mask.dtype = DType::kBool;
  return {like_first(operands)[0], mask};
}

constexpr std::array kEntries = {
    entry("aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, "
          "MemoryFormat? memory_format=None) -> Tensor(a)",
          "To", infer_to, onnx_rules::convert, kTraits, moves_unless_view),
    entry("aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, "
          "bool copy=False, MemoryFormat? memory_format=None) -> Tensor(a)",
          "To", infer_to, onnx_rules::convert, kTraits, moves_unless_view),
    entry("aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, "
          "Device? device=None, bool? pin_memory=None, bool non_blocking=False, bool copy=False, "
          "MemoryFormat? memory_format=None) -> Tensor(a)",
          "To", infer_to, onnx_rules::convert, kTraits, moves_unless_view),
    entry("aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, "
          "MemoryFormat? memory_format=None) -> Tensor(a)",
          "To", infer_to_other, onnx_rules::convert, kTraits, moves_unless_view),
    entry("aten::type_as(Tensor self, Tensor other) -> Tensor", "To", infer_type_as, onnx_rules::convert, kTraits,
          moves_unless_view),
    entry("aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
          "bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
          "To", infer_to_copy, onnx_rules::convert),
    entry("aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", "Copy", infer_clone,
          onnx_rules::operand),
    entry("aten::copy_(Tensor(a!) self, Tensor src, bool non_blocking=False) -> Tensor(a!)", "Copy", in_place,
          onnx_rules::copy, kManyOperands, cost_write),
    entry("aten::fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)", "Fill", in_place, onnx_rules::fill_number,
          kTraits, cost_write),
    entry("aten::fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)", "Fill", in_place, onnx_rules::fill_number,
          kTraits, cost_write),
    entry("aten::zero_(Tensor(a!) self) -> Tensor(a!)", "Fill", in_place, onnx_rules::fill_zero, kTraits, cost_write),
    entry("aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor", "Copy", like_first,
          onnx_rules::copy, kManyOperands, cost_write),
    entry("aten::fill.Scalar(Tensor self, Scalar value) -> Tensor", "Fill", like_first, onnx_rules::fill_number,
          kTraits, cost_write),
    entry("aten::cat(Tensor[] tensors, int dim=0) -> Tensor", "Cat", infer_cat, onnx_rules::cat, kManyOperands),
    entry("aten::concat(Tensor[] tensors, int dim=0) -> Tensor", "Cat", infer_cat, onnx_rules::cat, kManyOperands),
    entry("aten::stack(Tensor[] tensors, int dim=0) -> Tensor", "Stack", infer_stack, onnx_rules::stack, kManyOperands),
    entry("aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", "Index", infer_index, onnx_rules::index,
          kIndexed, cost_gather),
    entry("aten::index_put_(Tensor(a!) self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor(a!)",
          "IndexPut", in_place, onnx_rules::index_put, kIndexed, cost_write),
    entry("aten::index_select(Tensor self, int dim, Tensor index) -> Tensor", "Index", infer_index_select,
          onnx_rules::index_select, kIndexed, cost_gather),
    entry("aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor", "Gather",
          infer_gather, onnx_rules::gather, kIndexed, cost_gather),
    entry("aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor", "Roll", contiguous_like_first,
          onnx_rules::roll),
    entry("aten::flip(Tensor self, int[] dims) -> Tensor", "Flip", like_first, onnx_rules::flip),
    entry("aten::repeat(Tensor self, SymInt[] repeats) -> Tensor", "Repeat", infer_repeat, onnx_rules::repeat),
    entry("aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? output_size=None) "
          "-> Tensor",
          "Repeat", infer_repeat_interleave, onnx_rules::repeat_interleave),
    entry("aten::tril(Tensor self, SymInt diagonal=0) -> Tensor", "Triangle", contiguous_like_first,
          onnx_rules::lower_triangle),
    entry("aten::triu(Tensor self, SymInt diagonal=0) -> Tensor", "Triangle", contiguous_like_first,
          onnx_rules::upper_triangle),
    entry("aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, "
          "int[2] stride) -> Tensor",
          "Col2Im", infer_col2im, onnx_rules::col2im, kTraits, per_input<1>),
    entry("aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)", "Dropout",
          infer_native_dropout, nullptr),
};

}  // namespace

std::span<const OpEntry> movement_entries() { return kEntries; }

}  // namespace nongemm
