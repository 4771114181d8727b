// ONNX rules of layout.cpp: ONNX has no strides, so a view is an operator like any other, and one that changes strides
// alone is nothing. A rule write_... gives operand 0 with the elements of the view replaced.
#include <algorithm>
#include <numeric>
#include <string>

#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;
using Names = OnnxLowering::Names;

const Type& self(const OnnxLowering& onnx) { return onnx.operands().tensor(0); }
std::size_t dim_of(const OnnxLowering& onnx, std::size_t arg) {
  return rules::sized_dim(onnx.operands().integer(arg), self(onnx).shape);
}

std::vector<std::size_t> order_of(const OnnxLowering& onnx) {
  std::vector<std::size_t> order;
  for (const std::int64_t dim : onnx.operands().integers(1))
    order.push_back(rules::wrap_dim(dim, self(onnx).shape.size()));
  return order;
}

std::vector<std::size_t> swapped(const OnnxLowering& onnx) {
  std::vector<std::size_t> order(self(onnx).shape.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (!order.empty()) std::swap(order[dim_of(onnx, 1)], order[dim_of(onnx, 2)]);
  return order;
}

bool is_static(const Shape& shape) { return std::count(shape.begin(), shape.end(), kDynamic) == 0; }
bool is_static_but_one(const Shape& shape) { return std::count(shape.begin(), shape.end(), kDynamic) <= 1; }

Name end_of_dimension(OnnxLowering& onnx) { return onnx.integer_constants({INT64_MAX}); }

/// Part [start, end) of a dimension of operand 0; empty when it has no elements for certain.
struct Range {
  std::size_t dim = 0;
  Name start;
  Name end;
  bool from_begin = false;
  bool to_end = false;
};

/// Operand 0 with a range of one dimension replaced.
Name with_replaced(OnnxLowering& onnx, const Range& range, const Name& replacement) {
  Names parts;
  if (!range.from_begin)
    parts.push_back(onnx.slice(onnx.tensor(0), range.dim, onnx.integer_constants({0}), range.start));
  parts.push_back(replacement);
  if (!range.to_end) parts.push_back(onnx.slice(onnx.tensor(0), range.dim, range.end, end_of_dimension(onnx)));
  return parts.size() == 1 ? replacement : onnx.concat(parts, static_cast<std::int64_t>(range.dim));
}

/// A bound of slice as int64 [1].
Name bound(OnnxLowering& onnx, std::size_t arg, std::int64_t otherwise) {
  return onnx.operands().has(arg) ? onnx.integer_list_of_one(arg) : onnx.integer_constants({otherwise});
}

bool is_known(const OnnxLowering& onnx, std::size_t arg) {
  return !std::holds_alternative<Use>(onnx.operands().raw(arg));
}

}  // namespace

void reshape(OnnxLowering& onnx) {
  const Shape& shape = onnx.result_type().shape;
  if (is_static_but_one(shape)) return onnx.result(onnx.reshape(onnx.tensor(0), shape));
  const Op& op = OpTable::get().at(onnx.node().op);
  if (op.schema.find_arg("size") == 1 || op.schema.find_arg("shape") == 1) {
    return onnx.result(onnx.add("Reshape", {onnx.tensor(0), onnx.integers(1)}));
  }
  // A flatten or unflatten: the sizes that it leaves as they are, are read at run time.
  const Shape& from = self(onnx).shape;
  const std::size_t first = dim_of(onnx, 1);
  const std::size_t kept_after =
      op.schema.name == "aten::flatten" ? from.size() - 1 - dim_of(onnx, 2) : from.size() - 1 - first;
  Names sizes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i < first) {
      sizes.push_back(onnx.size_of(onnx.tensor(0), self(onnx), i));
    } else if (i + kept_after >= shape.size()) {
      sizes.push_back(onnx.size_of(onnx.tensor(0), self(onnx), from.size() - (shape.size() - i)));
    } else {
      sizes.push_back(onnx.integer_constants({shape[i]}));
    }
  }
  onnx.result(onnx.add("Reshape", {onnx.tensor(0), onnx.concat(sizes, 0)}));
}

void permute(OnnxLowering& onnx) { onnx.result(onnx.transpose(onnx.tensor(0), order_of(onnx))); }

void transpose(OnnxLowering& onnx) { onnx.result(onnx.transpose(onnx.tensor(0), swapped(onnx))); }

void transpose_matrix(OnnxLowering& onnx) {
  if (self(onnx).shape.size() < 2) return operand(onnx);
  onnx.result(onnx.transposed(0));
}

void unsqueeze(OnnxLowering& onnx) {
  const std::size_t dim = rules::wrap_dim(onnx.operands().integer(1), self(onnx).shape.size() + 1);
  onnx.result(onnx.unsqueeze(onnx.tensor(0), static_cast<std::int64_t>(dim)));
}

void squeeze(OnnxLowering& onnx) {
  const Shape& shape = self(onnx).shape;
  std::vector<std::int64_t> axes;
  const bool chosen = onnx.operands().size() >= 2;
  for (const std::int64_t dim : dimensions(onnx.operands(), chosen ? 1 : onnx.operands().size(), shape.size())) {
    if (shape[static_cast<std::size_t>(dim)] == 1) axes.push_back(dim);
  }
  if (axes.empty()) return operand(onnx);
  onnx.result(onnx.add("Squeeze", {onnx.tensor(0), onnx.integer_constants(axes)}));
}

void expand(OnnxLowering& onnx) {
  const Shape& shape = onnx.result_type().shape;
  if (std::find(shape.begin(), shape.end(), kDynamic) == shape.end()) {
    if (shape == self(onnx).shape) return operand(onnx);
    return onnx.result(onnx.add("Expand", {onnx.tensor(0), onnx.integer_constants(shape)}));
  }
  Names sizes;
  for (const Int& size : std::get<std::vector<Int>>(onnx.operands().raw(1))) {
    // -1 keeps the operand's size, as 1 does in ONNX.
    sizes.push_back(size.known() ? onnx.integer_constants({std::max<std::int64_t>(size.value, 1)})
                                 : onnx.unsqueeze(onnx.value(size.ref), 0));
  }
  onnx.result(onnx.add("Expand", {onnx.tensor(0), onnx.concat(sizes, 0)}));
}

void expand_as(OnnxLowering& onnx) {
  if (onnx.operands().tensor(1).shape == self(onnx).shape && is_static_but_one(self(onnx).shape)) return operand(onnx);
  onnx.result(onnx.add("Expand", {onnx.tensor(0), shape_operand(onnx, 1)}));
}

void select(OnnxLowering& onnx) { onnx.result(onnx.gather(onnx.tensor(0), onnx.integer(2), dim_of(onnx, 1))); }

void slice(OnnxLowering& onnx) {
  const std::size_t dim = dim_of(onnx, 1);
  const std::int64_t step = onnx.operands().integer(4);
  const bool computed = !is_known(onnx, 2) || !is_known(onnx, 3);
  // x[:, :] of a known size leaves nothing out.
  if (!computed && step == 1 && self(onnx).shape[dim] != kDynamic && onnx.result_type().shape == self(onnx).shape) {
    return operand(onnx);
  }
  onnx.result(onnx.slice(onnx.tensor(0), dim, bound(onnx, 2, 0), bound(onnx, 3, INT64_MAX), step));
}

void narrow(OnnxLowering& onnx) {
  const Name start = onnx.integer_list_of_one(2);
  const Name end = onnx.add("Add", {start, onnx.integer_list_of_one(3)});
  onnx.result(onnx.slice(onnx.tensor(0), dim_of(onnx, 1), start, end));
}

void split(OnnxLowering& onnx) {
  const auto axis = static_cast<std::int64_t>(dim_of(onnx, 2));
  if (onnx.result_count() == 1) return operand(onnx);
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < onnx.result_count(); ++i) {
    sizes.push_back(onnx.result_type(i, static_cast<std::size_t>(axis) + 1).shape[static_cast<std::size_t>(axis)]);
  }
  const bool known = std::find(sizes.begin(), sizes.end(), kDynamic) == sizes.end();
  const Name lengths = known ? onnx.integer_constants(sizes) : onnx.integers(1);
  for (Name& piece : onnx.add_many("Split", {onnx.tensor(0), lengths}, onnx.result_count(), {{"axis", axis}})) {
    onnx.result(std::move(piece));
  }
}

void unbind(OnnxLowering& onnx) {
  const std::size_t dim = dim_of(onnx, 1);
  const auto axis = static_cast<std::int64_t>(dim);
  if (onnx.result_type().kind == Type::Kind::kTensorList) {  // the elements along the first dimension
    std::vector<std::size_t> order(self(onnx).shape.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(dim),
                order.begin() + static_cast<std::ptrdiff_t>(dim) + 1);
    return onnx.result(onnx.transpose(onnx.tensor(0), order));
  }
  if (onnx.result_count() == 1) return onnx.result(onnx.squeeze(onnx.tensor(0), axis));
  const Name sizes = onnx.integer_constants(std::vector<std::int64_t>(onnx.result_count(), 1));
  for (const Name& piece : onnx.add_many("Split", {onnx.tensor(0), sizes}, onnx.result_count(), {{"axis", axis}})) {
    onnx.result(onnx.squeeze(piece, axis));
  }
}

/// ONNX has no storages: elements are picked from a tensor that is one.
void as_strided(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const Type& type = self(onnx);
  const auto* use = std::get_if<Use>(&operands.raw(0));
  const NodeId producer = use == nullptr ? kNoId : operands.graph().values[use->value].producer;
  const Op* op = producer == kNoId ? nullptr : OpTable::get().find(operands.graph().nodes[producer].op);
  const bool is_view = op != nullptr && op->entry.group == Group::kMemoryLayout;
  if (is_view || !type.strides.empty()) onnx.unsupported("of a view");
  const Shape& shape = onnx.result_type().shape;
  const std::vector<std::int64_t> strides = operands.integers(2);
  const bool known = is_static(type.shape) && is_static(shape) && is_static(strides);
  if (!known || strides.size() != shape.size()) onnx.unsupported("of sizes that only the run knows");
  std::vector<std::int64_t> indices = {operands.has(3) ? operands.integer(3) : 0};
  for (std::size_t dim = 0; dim < shape.size(); ++dim) {
    constexpr std::size_t kMost = std::size_t{1} << 22;
    std::vector<std::int64_t> more;
    if (static_cast<double>(indices.size()) * static_cast<double>(shape[dim]) > static_cast<double>(kMost)) {
      onnx.unsupported("of so many elements");
    }
    for (const std::int64_t index : indices) {
      for (std::int64_t i = 0; i < shape[dim]; ++i) more.push_back(index + i * strides[dim]);
    }
    indices = std::move(more);
  }
  const auto count = static_cast<std::int64_t>(rules::count_of(type));
  const bool inside = std::all_of(indices.begin(), indices.end(), [&](std::int64_t i) { return i >= 0 && i < count; });
  if (!inside) onnx.unsupported("beyond its operand");
  onnx.result(onnx.reshape(onnx.gather(onnx.reshape(onnx.tensor(0), {-1}), onnx.integer_constants(indices)), shape));
}

void diagonal(OnnxLowering& onnx) {
  const std::size_t first = dim_of(onnx, 2);
  const std::size_t second = dim_of(onnx, 3);
  const std::int64_t offset = onnx.operands().integer(1);
  const std::int64_t length = onnx.result_type().shape.back();
  if (length == kDynamic) onnx.unsupported("a diagonal whose length only the run knows");
  if (self(onnx).shape.size() > 26) onnx.unsupported("more than 26 dimensions");
  const auto part = [&](Name value, std::size_t dim, std::int64_t begin) {  // the square that the diagonal crosses
    return onnx.slice(std::move(value), dim, onnx.integer_constants({begin}), onnx.integer_constants({begin + length}));
  };
  Name square = part(onnx.tensor(0), first, std::max<std::int64_t>(-offset, 0));
  square = part(square, second, std::max<std::int64_t>(offset, 0));
  std::string letters;
  for (std::size_t i = 0; i < self(onnx).shape.size(); ++i) letters += static_cast<char>('a' + i);
  letters[second] = letters[first];
  std::string kept = letters;
  std::erase(kept, letters[first]);
  onnx.result(onnx.add("Einsum", {square}, {{"equation", letters + "->" + kept + letters[first]}}));
}

void write_same_elements(OnnxLowering& onnx) { onnx.result(onnx.replacement()); }

void write_reshaped(OnnxLowering& onnx) {
  onnx.result(onnx.add("Reshape", {onnx.replacement(), shape_operand(onnx, 0)}));
}

void write_permuted(OnnxLowering& onnx) {
  const std::vector<std::size_t> order = order_of(onnx);
  std::vector<std::size_t> inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) inverse[order[i]] = i;
  onnx.result(onnx.transpose(onnx.replacement(), inverse));
}

void write_transposed(OnnxLowering& onnx) { onnx.result(onnx.transpose(onnx.replacement(), swapped(onnx))); }

void write_selected(OnnxLowering& onnx) {
  const std::size_t dim = dim_of(onnx, 1);
  const std::int64_t size = self(onnx).shape[dim];
  std::int64_t at = onnx.operands().integer(2);
  if (!is_known(onnx, 2) || (at < 0 && size == kDynamic)) onnx.unsupported("a write through a computed index");
  if (at < 0) at += size;
  const Range range{dim, onnx.integer_constants({at}), onnx.integer_constants({at + 1}), at == 0, at + 1 == size};
  onnx.result(with_replaced(onnx, range, onnx.unsqueeze(onnx.replacement(), static_cast<std::int64_t>(dim))));
}

void write_slice(OnnxLowering& onnx) {
  if (onnx.operands().integer(4) != 1) onnx.unsupported("a write through a slice with a step");
  const std::size_t dim = dim_of(onnx, 1);
  const std::int64_t size = self(onnx).shape[dim];
  Range range{dim, bound(onnx, 2, 0), bound(onnx, 3, INT64_MAX), false, false};
  range.from_begin = !onnx.operands().has(2) || (is_known(onnx, 2) && onnx.operands().integer(2) == 0);
  range.to_end = !onnx.operands().has(3) ||
                 (is_known(onnx, 3) && onnx.operands().integer(3) >= (size == kDynamic ? INT64_MAX : size));
  onnx.result(with_replaced(onnx, range, onnx.replacement()));
}

}  // namespace nongemm::onnx_rules
