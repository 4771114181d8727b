// ONNX rules of movement.cpp, but for indexing (indexing_onnx.cpp).
#include <algorithm>
#include <numeric>

#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;
using Names = OnnxLowering::Names;

const Type& self(const OnnxLowering& onnx) { return onnx.operands().tensor(0); }

bool is_list(const OnnxLowering& onnx) {
  const std::vector<const Type*> tensors = onnx.operands().tensors(0);
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const Type* type) { return type != nullptr && type->kind == Type::Kind::kTensorList; });
}

void triangle(OnnxLowering& onnx, bool upper) {
  if (!onnx.at_least(14)) onnx.unsupported("Trilu came with opset 14", "choose a newer opset");
  const Name diagonal = onnx.integer_constant(onnx.operands().integer(1));
  onnx.result(onnx.add("Trilu", {onnx.tensor(0), diagonal}, {{"upper", std::int64_t{upper}}}));
}

}  // namespace

void convert(OnnxLowering& onnx) { onnx.result(onnx.tensor(0, onnx.result_type().dtype)); }

void copy(OnnxLowering& onnx) {
  const Name source = onnx.tensor(1, self(onnx).dtype);
  onnx.result(expanded_like_first(onnx, source, onnx.operands().tensor(1)));
}

void fill_number(OnnxLowering& onnx) {
  if (onnx.operands().is_tensor(1)) return copy(onnx);
  onnx.result(filled(onnx, shape_operand(onnx, 0), onnx.operands().number(1), self(onnx).dtype));
}

void fill_zero(OnnxLowering& onnx) { onnx.result(filled(onnx, shape_operand(onnx, 0), 0.0, self(onnx).dtype)); }

/// Empty one-dimensional tensors take no part, as in PyTorch.
void cat(OnnxLowering& onnx) {
  if (is_list(onnx)) onnx.unsupported("a list of unknown length");
  const DType dtype = onnx.result_type().dtype;
  const std::vector<const Type*> types = onnx.operands().tensors(0);
  const Names names = onnx.tensors(0);
  Names parts;
  std::size_t rank = 1;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (types[i]->shape == Shape{0}) continue;
    parts.push_back(onnx.cast(names[i], types[i]->dtype, dtype));
    rank = types[i]->shape.size();
  }
  if (parts.empty()) return onnx.result(names.at(0));
  if (parts.size() == 1) return onnx.result(parts[0]);
  onnx.result(onnx.concat(parts, static_cast<std::int64_t>(rules::wrap_dim(onnx.operands().integer(1), rank))));
}

void stack(OnnxLowering& onnx) {
  const std::size_t rank = onnx.result_type().shape.size();
  const std::size_t dim = rules::wrap_dim(onnx.operands().integer(1), rank);
  if (is_list(onnx)) {  // already a tensor, with the elements along the first dimension
    std::vector<std::size_t> order(rank);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::rotate(order.begin(), order.begin() + 1, order.begin() + static_cast<std::ptrdiff_t>(dim) + 1);
    return onnx.result(onnx.transpose(onnx.tensors(0).at(0), order));
  }
  const std::vector<const Type*> types = onnx.operands().tensors(0);
  Names parts = onnx.tensors(0);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Name value = onnx.cast(parts[i], types[i]->dtype, onnx.result_type().dtype);
    parts[i] = onnx.unsqueeze(value, static_cast<std::int64_t>(dim));
  }
  onnx.result(parts.size() == 1 ? parts[0] : onnx.concat(parts, static_cast<std::int64_t>(dim)));
}

void roll(OnnxLowering& onnx) {
  const std::vector<std::int64_t> shifts = onnx.operands().integers(1);
  const std::vector<std::int64_t> dims = onnx.operands().integers(2);
  if (dims.size() != shifts.size()) onnx.unsupported("a roll over all elements");
  Name value = onnx.tensor(0);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::size_t dim = rules::sized_dim(dims[i], self(onnx).shape);
    const std::int64_t size = self(onnx).shape[dim];
    if (size == kDynamic) onnx.unsupported("a roll over a dimension of unknown size");
    const std::int64_t shift = size == 0 ? 0 : (shifts[i] % size + size) % size;
    if (shift == 0) continue;
    const Name cut = onnx.integer_constants({size - shift});
    const Name last = onnx.slice(value, dim, cut, onnx.integer_constants({INT64_MAX}));
    const Name first = onnx.slice(value, dim, onnx.integer_constants({0}), cut);
    value = onnx.concat({last, first}, static_cast<std::int64_t>(dim));
  }
  onnx.result(value);
}

void flip(OnnxLowering& onnx) {
  const std::vector<std::int64_t> dims = dimensions(onnx.operands(), 1, self(onnx).shape.size());
  const std::vector<std::int64_t> last(dims.size(), -1);
  const std::vector<std::int64_t> beyond_first(dims.size(), INT64_MIN + 1);
  onnx.result(onnx.add("Slice", {onnx.tensor(0), onnx.integer_constants(last), onnx.integer_constants(beyond_first),
                                 onnx.integer_constants(dims), onnx.integer_constants(last)}));
}

void repeat(OnnxLowering& onnx) {
  Name value = onnx.tensor(0);
  const auto added = static_cast<std::int64_t>(onnx.result_type().shape.size() - self(onnx).shape.size());
  if (added > 0) {
    std::vector<std::int64_t> axes(static_cast<std::size_t>(added));
    std::iota(axes.begin(), axes.end(), std::int64_t{0});
    value = onnx.unsqueeze(value, axes);
  }
  onnx.result(onnx.add("Tile", {value, onnx.integers(1)}));
}

/// [..., n, ...] -> [..., n, 1, ...] -> [..., n, k, ...] -> [..., n * k, ...]
void repeat_interleave(OnnxLowering& onnx) {
  const bool flat = !onnx.operands().has(2);
  const Shape shape = flat ? Shape{element_count(self(onnx).shape)} : self(onnx).shape;
  const std::size_t dim = flat ? 0 : rules::sized_dim(onnx.operands().integer(2), shape);
  const std::int64_t count = onnx.operands().integer(1);
  if (count == kDynamic || std::count(shape.begin(), shape.end(), kDynamic) > 1) {
    onnx.unsupported("several sizes that only the run knows");
  }
  Name value = flat ? onnx.reshape(onnx.tensor(0), {-1}) : onnx.tensor(0);
  value = onnx.unsqueeze(value, static_cast<std::int64_t>(dim) + 1);
  std::vector<std::int64_t> repeats(shape.size() + 1, 1);
  repeats[dim + 1] = count;
  value = onnx.add("Tile", {value, onnx.integer_constants(repeats)});
  onnx.result(onnx.reshape(value, onnx.result_type().shape));
}

void lower_triangle(OnnxLowering& onnx) { triangle(onnx, false); }
void upper_triangle(OnnxLowering& onnx) { triangle(onnx, true); }

void col2im(OnnxLowering& onnx) {
  constexpr int kFirstOpset = 18;
  if (!onnx.at_least(kFirstOpset)) onnx.unsupported("before opset 18", "--opset 18");
  const Operands& operands = onnx.operands();
  std::vector<std::int64_t> pads = operands.pair(4, 0);
  pads.insert(pads.end(), {pads[0], pads[1]});
  const bool batched = operands.tensor(0).shape.size() == 3;
  const Name map = onnx.add("Col2Im",
                            {batched ? onnx.tensor(0) : onnx.unsqueeze(onnx.tensor(0), 0), onnx.integers(1),
                             onnx.integer_constants(operands.pair(2, 1))},
                            {{"dilations", operands.pair(3, 1)}, {"pads", pads}, {"strides", operands.pair(5, 1)}});
  onnx.result(batched ? map : onnx.squeeze(map, 0));
}

}  // namespace nongemm::onnx_rules
