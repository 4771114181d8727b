// ONNX rules of movement.cpp's indexing: one index becomes Gather, several become GatherND or ScatterND over the
// operand with its indexed dimensions in front.
#include <algorithm>
#include <numeric>

#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;
using Names = OnnxLowering::Names;

/// An index tensor for one dimension.
struct Index {
  std::size_t dim = 0;
  Name name;
  Shape shape;
};

/// x[i, mask, None, j]: masks become the positions of their true elements, one index for each of their dimensions.
std::vector<Index> indices_of(OnnxLowering& onnx) {
  const std::vector<const Type*> types = onnx.operands().tensors(1);
  const Names names = onnx.tensors(1);
  std::vector<Index> indices;
  std::size_t dim = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (types[i] == nullptr) {
      ++dim;
      continue;
    }
    if (types[i]->dtype != DType::kBool && types[i]->dtype != DType::kUInt8) {
      indices.push_back({dim++, onnx.cast(names[i], types[i]->dtype, DType::kInt64), types[i]->shape});
      continue;
    }
    const std::size_t rank = types[i]->shape.size();
    const Name positions = onnx.add("NonZero", {onnx.cast(names[i], types[i]->dtype, DType::kBool)});  // [rank, n]
    for (std::size_t k = 0; k < rank; ++k) {
      indices.push_back({dim++, onnx.pick(positions, k), {kDynamic}});
    }
  }
  return indices;
}

Shape broadcast_shape(const std::vector<Index>& indices) {
  Shape shape;
  for (const Index& index : indices) shape = rules::broadcast(shape, index.shape);
  return shape;
}

/// int64 [..., number of indices], the form GatherND and ScatterND take.
Name stacked(OnnxLowering& onnx, const std::vector<Index>& indices) {
  const Shape shape = broadcast_shape(indices);
  const bool known = std::find(shape.begin(), shape.end(), kDynamic) == shape.end();
  const bool all_one_dimensional =
      std::all_of(indices.begin(), indices.end(), [](const Index& index) { return index.shape == Shape{kDynamic}; });
  Name common;  // the shape, where only the run knows it
  if (!known && !all_one_dimensional && indices.size() > 1) {
    Name sum = indices[0].name;
    for (std::size_t i = 1; i < indices.size(); ++i) sum = onnx.add("Add", {sum, indices[i].name});
    common = onnx.shape_of(sum);
  }
  Names columns;
  for (const Index& index : indices) {
    Name value = index.name;
    if (known && index.shape != shape) value = onnx.add("Expand", {value, onnx.integer_constants(shape)});
    if (!common.empty()) value = onnx.add("Expand", {value, common});
    columns.push_back(onnx.unsqueeze(value, static_cast<std::int64_t>(shape.size())));
  }
  return columns.size() == 1 ? columns[0] : onnx.concat(columns, static_cast<std::int64_t>(shape.size()));
}

/// The indexed dimensions first, the others after them in their order.
std::vector<std::size_t> indexed_first(const std::vector<Index>& indices, std::size_t rank) {
  std::vector<std::size_t> order;
  for (const Index& index : indices) order.push_back(index.dim);
  for (std::size_t dim = 0; dim < rank; ++dim) {
    if (std::find(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(indices.size()), dim) ==
        order.begin() + static_cast<std::ptrdiff_t>(indices.size())) {
      order.push_back(dim);
    }
  }
  return order;
}

std::vector<std::size_t> inverse(const std::vector<std::size_t>& order) {
  std::vector<std::size_t> result(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) result[order[i]] = i;
  return result;
}

bool adjacent(const std::vector<Index>& indices) {
  return indices.back().dim - indices.front().dim + 1 == indices.size();
}

/// What index_put writes, in the shape of what is replaced, the dimensions of the indices first.
/// @param data with the indexed dimensions first
Name replacements(OnnxLowering& onnx, const std::vector<Index>& indices, const Name& data, const Name& where) {
  const Type& self = onnx.operands().tensor(0);
  const std::size_t gathered = broadcast_shape(indices).size();
  const std::size_t before = indices[0].dim;  // dimensions that stand before the indexed ones, which stand together
  const std::size_t rest = self.shape.size() - indices.size();
  const auto sizes = [&](const Name& shape, std::size_t begin, std::size_t end) {
    return onnx.slice(shape, 0, onnx.integer_constants({static_cast<std::int64_t>(begin)}),
                      onnx.integer_constants({static_cast<std::int64_t>(end)}));
  };
  Name shape = sizes(onnx.shape_of(where), 0, gathered);
  if (rest > 0) {
    const Name all = onnx.shape_of(data);
    const auto left = [&](std::size_t begin, std::size_t end) {
      return sizes(all, indices.size() + begin, indices.size() + end);
    };
    Names parts;
    if (before > 0) parts.push_back(left(0, before));
    parts.push_back(shape);
    if (before < rest) parts.push_back(left(before, rest));
    shape = onnx.concat(parts, 0);
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < gathered; ++i) order.push_back(before + i);
  for (std::size_t i = 0; i < before; ++i) order.push_back(i);
  for (std::size_t i = before; i < rest; ++i) order.push_back(gathered + i);
  return onnx.transpose(onnx.add("Expand", {onnx.tensor(2, self.dtype), shape}), order);
}

}  // namespace

void index(OnnxLowering& onnx) {
  const std::vector<Index> indices = indices_of(onnx);
  if (indices.empty()) return operand(onnx);
  if (indices.size() == 1) {
    return onnx.result(onnx.gather(onnx.tensor(0), indices[0].name, indices[0].dim));
  }
  const std::size_t rank = onnx.operands().tensor(0).shape.size();
  const Name data = onnx.transpose(onnx.tensor(0), indexed_first(indices, rank));
  const Name gathered = onnx.add("GatherND", {data, stacked(onnx, indices)});
  // PyTorch leaves the gathered dimensions where the indices stood when these stand side by side.
  const std::size_t before = adjacent(indices) ? indices[0].dim : 0;
  const std::size_t result_rank = onnx.result_type().shape.size();
  const std::size_t gathered_rank = broadcast_shape(indices).size();
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < before; ++i) order.push_back(gathered_rank + i);
  for (std::size_t i = 0; i < gathered_rank; ++i) order.push_back(i);
  for (std::size_t i = gathered_rank + before; i < result_rank; ++i) order.push_back(i);
  onnx.result(onnx.transpose(gathered, order));
}

void index_put(OnnxLowering& onnx) {
  const Type& self = onnx.operands().tensor(0);
  const bool accumulate = onnx.operands().flag(3);
  if (accumulate && !onnx.at_least(16))
    onnx.unsupported("adding at indices came with opset 16", "choose a newer opset");
  const std::vector<Index> indices = indices_of(onnx);
  if (indices.empty() || (!adjacent(indices) && indices.size() > 1)) onnx.unsupported("indices that are apart");
  const std::vector<std::size_t> order = indexed_first(indices, self.shape.size());
  const Name data = onnx.transpose(onnx.tensor(0), order);
  const Name where = stacked(onnx, indices);

  const Name values = replacements(onnx, indices, data, where);
  OnnxLowering::Attributes attributes;
  if (accumulate) attributes.push_back({"reduction", std::string("add")});
  onnx.result(onnx.transpose(onnx.add("ScatterND", {data, where, values}, attributes), inverse(order)));
}

void index_select(OnnxLowering& onnx) {
  const std::size_t axis = rules::wrap_dim(onnx.operands().integer(1), onnx.operands().tensor(0).shape.size());
  Name index = onnx.tensor(2);
  if (onnx.operands().tensor(2).shape.empty()) index = onnx.unsqueeze(index, 0);
  onnx.result(onnx.gather(onnx.tensor(0), index, axis));
}

void gather(OnnxLowering& onnx) {
  const std::size_t axis = rules::wrap_dim(onnx.operands().integer(1), onnx.operands().tensor(0).shape.size());
  onnx.result(
      onnx.add("GatherElements", {onnx.tensor(0), onnx.tensor(2)}, {{"axis", static_cast<std::int64_t>(axis)}}));
}

}  // namespace nongemm::onnx_rules
