// Memory operators that only change how a tensor is looked at. Where PyTorch may have to copy (reshape, contiguous,
// flatten), the rule decides from the strides, and a copying call counts as movement.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

Type view_of(const Type& base, Shape shape, Shape strides) {
  Type result;
  result.dtype = base.dtype;
  result.shape = std::move(shape);
  result.strides = std::move(strides);
  result.alias = true;
  if (is_contiguous(result)) result.strides.clear();
  return result;
}

/// The view if the strides allow one, else a copy.
Type reshaped(const Type& self, const Shape& shape) {
  Shape strides;
  if (view_strides(self, shape, strides)) return view_of(self, shape, strides);
  return tensor_type(self.dtype, shape);
}

std::vector<Type> infer_view(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const Shape shape = resolve_sizes(operands, 1, self.shape);
  Shape strides;
  if (!view_strides(self, shape, strides)) {
    throw Error(ErrorKind::kBadInput, "a view with shape " + to_string(shape) + " would need a copy; use reshape");
  }
  return {view_of(self, shape, strides)};
}

std::vector<Type> infer_reshape(const Operands& operands) {
  const Type& self = operands.tensor(0);
  return {reshaped(self, resolve_sizes(operands, 1, self.shape))};
}

std::vector<Type> infer_contiguous(const Operands& operands) {
  const Type& self = operands.tensor(0);
  Type result = tensor_type(self.dtype, self.shape);
  result.alias = is_contiguous(self);
  return {result};
}

std::vector<Type> infer_flatten(const Operands& operands) {
  const Type& self = operands.tensor(0);
  if (self.shape.empty()) return {view_of(self, {1}, {1})};
  const std::size_t first = wrap_dim(operands.integer(1), self.shape.size());
  const std::size_t last = wrap_dim(operands.integer(2), self.shape.size());
  Shape shape(self.shape.begin(), self.shape.begin() + static_cast<std::ptrdiff_t>(first));
  shape.push_back(element_count(Shape(self.shape.begin() + static_cast<std::ptrdiff_t>(first),
                                      self.shape.begin() + static_cast<std::ptrdiff_t>(last) + 1)));
  shape.insert(shape.end(), self.shape.begin() + static_cast<std::ptrdiff_t>(last) + 1, self.shape.end());
  return {reshaped(self, shape)};
}

std::vector<Type> infer_unflatten(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::size_t dim = sized_dim(operands.integer(1), self.shape);
  Shape sizes = resolve_sizes(operands, 2, {self.shape[dim]});
  Shape shape = self.shape;
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(dim));
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(dim), sizes.begin(), sizes.end());
  return {reshaped(self, shape)};
}

Type permuted(const Type& self, const std::vector<std::size_t>& order) {
  const Shape strides = strides_of(self);
  Shape shape;
  Shape new_strides;
  for (std::size_t dim : order) {
    shape.push_back(self.shape[dim]);
    new_strides.push_back(strides[dim]);
  }
  return view_of(self, shape, new_strides);
}

std::vector<Type> infer_permute(const Operands& operands) {
  const Type& self = operands.tensor(0);
  std::vector<std::size_t> order;
  for (std::int64_t dim : operands.integers(1)) order.push_back(wrap_dim(dim, self.shape.size()));
  if (order.size() != self.shape.size()) throw Error(ErrorKind::kBadInput, "permute needs one number per dimension");
  return {permuted(self, order)};
}

std::vector<Type> infer_transpose(const Operands& operands) {
  const Type& self = operands.tensor(0);
  std::vector<std::size_t> order(self.shape.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (order.empty()) return {permuted(self, order)};
  std::swap(order.at(wrap_dim(operands.integer(1), order.size())),
            order.at(wrap_dim(operands.integer(2), order.size())));
  return {permuted(self, order)};
}

std::vector<Type> infer_t(const Operands& operands) {
  const Type& self = operands.tensor(0);
  if (self.shape.size() < 2) return alias_of_first(operands);
  return {permuted(self, {1, 0})};
}

std::vector<Type> infer_unsqueeze(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::size_t dim = wrap_dim(operands.integer(1), self.shape.size() + 1);
  Shape shape = self.shape;
  Shape strides = strides_of(self);
  // PyTorch gives the new dimension the stride that would make it contiguous with its right neighbour.
  std::int64_t stride = 1;
  if (dim < shape.size()) {
    stride = shape[dim] == kDynamic || strides[dim] == kDynamic ? kDynamic : shape[dim] * strides[dim];
  }
  shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(dim), 1);
  strides.insert(strides.begin() + static_cast<std::ptrdiff_t>(dim), stride);
  return {view_of(self, shape, strides)};
}

std::vector<Type> infer_squeeze(const Operands& operands) {
  const Type& self = operands.tensor(0);
  std::vector<bool> candidate(self.shape.size(), operands.size() < 2);
  if (operands.size() >= 2) {
    for (std::int64_t dim : operands.integers(1)) candidate[wrap_dim(dim, self.shape.size())] = true;
  }
  const Shape old_strides = strides_of(self);
  Shape shape;
  Shape strides;
  for (std::size_t i = 0; i < self.shape.size(); ++i) {
    if (candidate[i] && self.shape[i] == 1) continue;
    shape.push_back(self.shape[i]);
    strides.push_back(old_strides[i]);
  }
  return {view_of(self, shape, strides)};
}

std::size_t added_dimensions(const Shape& from, const Shape& to) {
  if (to.size() >= from.size()) return to.size() - from.size();
  throw Error(ErrorKind::kBadInput, "cannot expand " + to_string(from) + " to " + to_string(to));
}

std::vector<Type> infer_expand(const Operands& operands) {
  const Type& self = operands.tensor(0);
  Shape shape = operands.integers(1);
  const Shape old_strides = strides_of(self);
  Shape strides(shape.size(), 0);
  const std::size_t added = added_dimensions(self.shape, shape);
  const auto* sizes = std::get_if<std::vector<Int>>(&operands.raw(1));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i < added) continue;
    const std::int64_t from = self.shape[i - added];
    const bool keep = sizes != nullptr && (*sizes)[i].known() && shape[i] == -1;
    if (keep || shape[i] == from) {
      shape[i] = from;
      strides[i] = old_strides[i - added];
    } else if (from != 1 && from != kDynamic && shape[i] != kDynamic) {
      throw Error(ErrorKind::kBadInput, "cannot expand " + to_string(self.shape) + " to " + to_string(shape));
    }
  }
  return {view_of(self, shape, strides)};
}

std::vector<Type> infer_expand_as(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const Shape& shape = operands.tensor(1).shape;
  const Shape old_strides = strides_of(self);
  Shape strides(shape.size(), 0);
  const std::size_t added = added_dimensions(self.shape, shape);
  for (std::size_t i = added; i < shape.size(); ++i) {
    if (shape[i] == self.shape[i - added]) strides[i] = old_strides[i - added];
  }
  return {view_of(self, shape, strides)};
}

std::vector<Type> infer_select(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::size_t dim = sized_dim(operands.integer(1), self.shape);
  Shape shape = self.shape;
  Shape strides = strides_of(self);
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(dim));
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(dim));
  return {view_of(self, shape, strides)};
}

/// A bound of slice: None gives `otherwise`, a computed one is dynamic.
std::int64_t bound(const Operands& operands, std::size_t arg, std::int64_t size, std::int64_t otherwise) {
  if (!operands.has(arg)) return otherwise;
  if (std::holds_alternative<Use>(operands.raw(arg))) return kDynamic;
  std::int64_t value = operands.integer(arg);
  if (size == kDynamic) return value < 0 ? kDynamic - 1 : value;
  if (value < 0) value += size;
  return std::clamp<std::int64_t>(value, 0, size);
}

std::vector<Type> infer_slice(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::size_t dim = sized_dim(operands.integer(1), self.shape);
  const std::int64_t step = operands.integer(4);
  const std::int64_t size = self.shape[dim];
  const std::int64_t start = bound(operands, 2, size, 0);
  const std::int64_t end = bound(operands, 3, size, size);
  Shape shape = self.shape;
  Shape strides = strides_of(self);
  const bool computed = std::holds_alternative<Use>(operands.raw(2)) || std::holds_alternative<Use>(operands.raw(3));
  if (size == kDynamic || computed) {
    shape[dim] = kDynamic;
  } else {
    shape[dim] = end > start ? (end - start + step - 1) / step : 0;
  }
  if (strides[dim] != kDynamic) strides[dim] *= step;
  return {view_of(self, shape, strides)};
}

std::vector<Type> infer_narrow(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::size_t dim = sized_dim(operands.integer(1), self.shape);
  Shape shape = self.shape;
  shape[dim] = operands.integer(3);
  return {view_of(self, shape, strides_of(self))};
}

std::vector<Type> pieces(const Type& self, std::size_t dim, const std::vector<std::int64_t>& sizes) {
  std::vector<Type> results;
  for (std::int64_t size : sizes) {
    Shape shape = self.shape;
    shape[dim] = size;
    results.push_back(view_of(self, shape, strides_of(self)));
  }
  return results;
}

std::vector<std::int64_t> equal_pieces(std::int64_t total, std::int64_t size) {
  if (total == kDynamic || size <= 0) {
    throw Error(ErrorKind::kUnsupported, "a split into a number of pieces that is only known at run time");
  }
  std::vector<std::int64_t> sizes;
  for (std::int64_t begin = 0; begin < total; begin += size) sizes.push_back(std::min(size, total - begin));
  return sizes;
}

std::vector<Type> infer_split(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::size_t dim = sized_dim(operands.integer(2), self.shape);
  return pieces(self, dim, equal_pieces(self.shape[dim], operands.integer(1)));
}

std::vector<Type> infer_chunk(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::size_t dim = sized_dim(operands.integer(2), self.shape);
  const std::int64_t chunks = operands.integer(1);
  return pieces(self, dim, equal_pieces(self.shape[dim], (self.shape[dim] + chunks - 1) / chunks));
}

std::vector<Type> infer_split_with_sizes(const Operands& operands) {
  const Type& self = operands.tensor(0);
  return pieces(self, sized_dim(operands.integer(2), self.shape), operands.integers(1));
}

std::vector<Type> infer_unbind(const Operands& operands) {
  const Type& self = operands.tensor(0);
  const std::size_t dim = sized_dim(operands.integer(1), self.shape);
  Shape shape = self.shape;
  Shape strides = strides_of(self);
  shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(dim));
  strides.erase(strides.begin() + static_cast<std::ptrdiff_t>(dim));
  Type element = view_of(self, shape, strides);
  if (self.shape[dim] == kDynamic) {
    element.kind = Type::Kind::kTensorList;
    return {element};
  }
  return std::vector<Type>(static_cast<std::size_t>(self.shape[dim]), element);
}

/// Whatever sizes and strides say; it has to lie within the storage, which is not known here.
std::vector<Type> infer_as_strided(const Operands& operands) {
  return {view_of(operands.tensor(0), operands.integers(1), operands.integers(2))};
}

/// (self, size): what the storage has, as another shape.
std::vector<Type> infer_resize(const Operands& operands) {
  Type result = tensor_type(operands.tensor(0).dtype, operands.integers(1));
  result.alias = true;
  return {result};
}

/// (self, offset, dim1, dim2): the two dimensions go, their diagonal comes last.
std::vector<Type> infer_diagonal(const Operands& operands) {
  const Type& self = operands.tensor(0, 2);
  const std::int64_t offset = operands.integer(1);
  const std::size_t first = sized_dim(operands.integer(2), self.shape);
  const std::size_t second = sized_dim(operands.integer(3), self.shape);
  if (first == second) throw Error(ErrorKind::kBadInput, "a diagonal of one dimension with itself");
  Shape shape;
  Shape strides;
  const Shape old_strides = strides_of(self);
  for (std::size_t i = 0; i < self.shape.size(); ++i) {
    if (i == first || i == second) continue;
    shape.push_back(self.shape[i]);
    strides.push_back(old_strides[i]);
  }
  const std::int64_t rows = self.shape[first];
  const std::int64_t columns = self.shape[second];
  const bool known = rows != kDynamic && columns != kDynamic;
  const std::int64_t length =
      std::min(rows + std::min<std::int64_t>(offset, 0), columns - std::max<std::int64_t>(offset, 0));
  shape.push_back(known ? std::max<std::int64_t>(length, 0) : kDynamic);
  strides.push_back(old_strides[first] + old_strides[second]);
  return {view_of(self, shape, strides)};
}

constexpr Traits kTraits = {.single_operation = true, .single_operand = true};

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, LowerRule lower,
                        LowerRule lower_write = nullptr) {
  return {.schema = schema,
          .group = Group::kMemoryLayout,
          .variant = variant,
          .traits = kTraits,
          .infer = infer,
          .cost = moves_unless_view,
          .lower = lower,
          .lower_write = lower_write};
}

constexpr std::array kEntries = {
    entry("aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)", "View", infer_view, onnx_rules::reshape,
          onnx_rules::write_reshaped),
    entry("aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)", "Reshape", infer_reshape, onnx_rules::reshape,
          onnx_rules::write_reshaped),
    entry("aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=contiguous_format) -> Tensor(a)",
          "Contiguous", infer_contiguous, onnx_rules::operand, onnx_rules::write_same_elements),
    entry("aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)", "Flatten",
          infer_flatten, onnx_rules::reshape, onnx_rules::write_reshaped),
    entry("aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)", "Unflatten", infer_unflatten,
          onnx_rules::reshape, onnx_rules::write_reshaped),
    entry("aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)", "Permute", infer_permute, onnx_rules::permute,
          onnx_rules::write_permuted),
    entry("aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", "Transpose", infer_transpose,
          onnx_rules::transpose, onnx_rules::write_transposed),
    entry("aten::t(Tensor(a) self) -> Tensor(a)", "Transpose", infer_t, onnx_rules::transpose_matrix),
    entry("aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)", "Unsqueeze", infer_unsqueeze, onnx_rules::unsqueeze,
          onnx_rules::write_reshaped),
    entry("aten::squeeze(Tensor(a) self) -> Tensor(a)", "Squeeze", infer_squeeze, onnx_rules::squeeze,
          onnx_rules::write_reshaped),
    entry("aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)", "Squeeze", infer_squeeze, onnx_rules::squeeze,
          onnx_rules::write_reshaped),
    entry("aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)", "Squeeze", infer_squeeze, onnx_rules::squeeze,
          onnx_rules::write_reshaped),
    entry("aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)", "Expand", infer_expand,
          onnx_rules::expand),
    entry("aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)", "Expand", infer_expand_as,
          onnx_rules::expand_as),
    entry("aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)", "Select", infer_select,
          onnx_rules::select, onnx_rules::write_selected),
    entry("aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) "
          "-> Tensor(a)",
          "Slice", infer_slice, onnx_rules::slice, onnx_rules::write_slice),
    entry("aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)", "Slice", infer_narrow,
          onnx_rules::narrow),
    entry("aten::split.Tensor(Tensor(a -> *) self, SymInt split_size, int dim=0) -> Tensor(a)[]", "Split", infer_split,
          onnx_rules::split),
    entry("aten::split_with_sizes(Tensor(a -> *) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]", "Split",
          infer_split_with_sizes, onnx_rules::split),
    entry("aten::chunk(Tensor(a -> *) self, int chunks, int dim=0) -> Tensor(a)[]", "Split", infer_chunk,
          onnx_rules::split),
    entry("aten::unbind.int(Tensor(a -> *) self, int dim=0) -> Tensor(a)[]", "Unbind", infer_unbind,
          onnx_rules::unbind),
    entry("aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> Tensor(a)",
          "AsStrided", infer_as_strided, onnx_rules::as_strided),
    entry("aten::resize_(Tensor(a!) self, SymInt[] size, *, MemoryFormat? memory_format=None) -> Tensor(a!)", "Resize",
          infer_resize, nullptr),
    entry("aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)", "Diagonal",
          infer_diagonal, onnx_rules::diagonal),
    entry("aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor", "View", infer_view, onnx_rules::reshape),
    entry("aten::alias(Tensor(a) self) -> Tensor(a)", "Alias", alias_of_first, onnx_rules::operand,
          onnx_rules::write_same_elements),
    entry("aten::detach(Tensor(a) self) -> Tensor(a)", "Alias", alias_of_first, onnx_rules::operand,
          onnx_rules::write_same_elements),
    entry("aten::lift_fresh(Tensor(a) self) -> Tensor(a)", "Alias", alias_of_first, onnx_rules::operand,
          onnx_rules::write_same_elements),
    entry("aten::dropout(Tensor input, float p, bool train) -> Tensor", "Dropout", alias_of_first, onnx_rules::operand,
          onnx_rules::write_same_elements),
};

}  // namespace

std::span<const OpEntry> layout_entries() { return kEntries; }

}  // namespace nongemm
