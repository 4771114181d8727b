// Scattering: a copy in which some elements are replaced, or added to. Memory movement.
#include <array>
#include <numeric>
#include <string>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;
using Name = OnnxLowering::Name;

/// (self, mask, source): the mask and the copy are broadcast with each other.
std::vector<Type> infer_masked_scatter(const Operands& operands) {
  const Type& self = operands.tensor(0);
  return {tensor_type(self.dtype, broadcast(self.shape, operands.tensor(1).shape))};
}

/// One addition, or comparison, for each element that is scattered: (self, dim, index, ...).
Cost cost_scatter_reduce(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = count_of(operands.tensor(2));
  return cost;
}

// --- ONNX ---
bool is_known(const Shape& shape) { return std::find(shape.begin(), shape.end(), kDynamic) == shape.end(); }

Name scatter_elements(OnnxLowering& onnx, std::size_t axis, const Name& index, const Name& updates,
                      const std::string& reduction = "none") {
  OnnxLowering::Attributes attributes = {{"axis", static_cast<std::int64_t>(axis)}};
  if (reduction != "none") {
    const int since = reduction == "add" || reduction == "mul" ? 16 : 18;
    if (!onnx.at_least(since)) {
      onnx.unsupported("scattering with '" + reduction + "' came with opset " + std::to_string(since),
                       "choose a newer opset");
    }
    attributes.push_back({"reduction", reduction});
  }
  return onnx.add("ScatterElements", {onnx.tensor(0), index, updates}, attributes);
}

/// Of `src` only as much is used as there are indices.
Name updates(OnnxLowering& onnx) {
  const Shape& index = onnx.operands().tensor(2).shape;
  const Type& source = onnx.operands().tensor(3);
  Name value = onnx.tensor(3, onnx.result_type().dtype);
  if (source.shape == index) return value;
  if (!is_known(index) || index.size() != source.shape.size()) onnx.unsupported("a source of another size");
  for (std::size_t i = 0; i < index.size(); ++i) {
    if (source.shape[i] == index[i]) continue;
    value = onnx.slice(value, i, onnx.integer_constants({0}), onnx.integer_constants({index[i]}));
  }
  return value;
}

std::size_t axis_of(OnnxLowering& onnx) {
  return sized_dim(onnx.operands().integer(1), onnx.operands().tensor(0).shape);
}

void scatter_source(OnnxLowering& onnx) {
  onnx.result(scatter_elements(onnx, axis_of(onnx), onnx.tensor(2), updates(onnx)));
}

void scatter_number(OnnxLowering& onnx) {
  const Name number = onnx.tensor(3, onnx.result_type().dtype);
  const Name value = onnx.add("Expand", {number, onnx_rules::shape_operand(onnx, 2)});
  onnx.result(scatter_elements(onnx, axis_of(onnx), onnx.tensor(2), value));
}

void scatter_sum(OnnxLowering& onnx) {
  onnx.result(scatter_elements(onnx, axis_of(onnx), onnx.tensor(2), updates(onnx), "add"));
}

void scatter_reduced(OnnxLowering& onnx) {
  const std::string_view reduce = onnx.operands().text(4);
  if (!onnx.operands().flag(5)) onnx.unsupported("a reduction without the elements that are there");
  const std::string reduction = reduce == "sum"    ? "add"
                                : reduce == "prod" ? "mul"
                                : reduce == "amax" ? "max"
                                : reduce == "amin" ? "min"
                                                   : "";
  if (reduction.empty()) onnx.unsupported("the reduction '" + std::string(reduce) + "'");
  onnx.result(scatter_elements(onnx, axis_of(onnx), onnx.tensor(2), updates(onnx), reduction));
}

/// Positions along one dimension replaced by a tensor that has one element for each.
void replace_along(OnnxLowering& onnx, std::size_t dim, const std::vector<std::int64_t>& positions, const Name& value) {
  Shape shape = onnx.operands().tensor(0).shape;
  if (!is_known(shape)) onnx.unsupported("dimensions that only the run knows");
  Shape along(shape.size(), 1);
  along[dim] = static_cast<std::int64_t>(positions.size());
  shape[dim] = along[dim];
  const Name index = onnx.reshape(onnx.integer_constants(positions), along);
  onnx.result(scatter_elements(onnx, dim, onnx.add("Expand", {index, onnx.integer_constants(shape)}), value));
}

void select_scatter(OnnxLowering& onnx) {
  const std::size_t dim = sized_dim(onnx.operands().integer(2), onnx.operands().tensor(0).shape);
  const std::int64_t size = onnx.operands().tensor(0).shape[dim];
  const std::int64_t at = onnx.operands().integer(3);
  const Name value = onnx.unsqueeze(onnx.tensor(1, onnx.result_type().dtype), static_cast<std::int64_t>(dim));
  replace_along(onnx, dim, {at < 0 ? at + size : at}, value);
}

void slice_scatter(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const std::size_t dim = sized_dim(operands.integer(2), operands.tensor(0).shape);
  const std::int64_t size = operands.tensor(0).shape[dim];
  const auto bound = [&](std::size_t arg, std::int64_t otherwise) {
    if (!operands.has(arg)) return otherwise;
    if (std::holds_alternative<Use>(operands.raw(arg))) onnx.unsupported("a computed bound");
    const std::int64_t at = operands.integer(arg);
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  std::vector<std::int64_t> positions;
  const std::int64_t end = bound(4, size);
  for (std::int64_t at = bound(3, 0); at < end; at += std::max<std::int64_t>(operands.integer(5), 1)) {
    positions.push_back(at);
  }
  if (positions.empty()) return onnx_rules::operand(onnx);
  replace_along(onnx, dim, positions, onnx.tensor(1, onnx.result_type().dtype));
}

/// Whole slices along one dimension: as many as there are indices.
void index_copy(OnnxLowering& onnx) {
  const Type& source = onnx.operands().tensor(3);
  if (!is_known(source.shape) || source.shape.empty()) onnx.unsupported("a source of another size");
  const std::size_t dim = axis_of(onnx);
  Shape along(source.shape.size(), 1);
  along[dim] = source.shape[dim];
  const Name index = onnx.reshape(onnx.tensor(2), along);
  const Name everywhere = onnx.add("Expand", {index, onnx.integer_constants(source.shape)});
  onnx.result(scatter_elements(onnx, dim, everywhere, onnx.tensor(3, onnx.result_type().dtype)));
}

/// The first elements of the source go where the mask is true, in order.
void masked_scatter(OnnxLowering& onnx) {
  const Type& result = onnx.result_type();
  if (!is_known(result.shape)) onnx.unsupported("a shape that only the run knows");
  const Name shape = onnx.integer_constants(result.shape);
  const Name data = onnx.add("Expand", {onnx.tensor(0), shape});
  const Name places = onnx.transpose(onnx.add("NonZero", {onnx.add("Expand", {onnx.tensor(1), shape})}), {1, 0});
  const Name count = onnx.pick(onnx.shape_of(places), 0);
  const Name source = onnx.reshape(onnx.tensor(2, result.dtype), {-1});
  const Name taken = onnx.slice(source, 0, onnx.integer_constants({0}), onnx.unsqueeze(count, 0));
  onnx.result(onnx.add("ScatterND", {data, places, taken}));
}

/// In place, only what is scattered is written.
Cost cost_in_place(const Operands& operands, std::span<const Type>) {
  Cost cost;
  cost.bytes_read = bytes_of(operands.tensor(2));
  cost.bytes_written = count_of(operands.tensor(2)) * static_cast<double>(size_of(operands.tensor(0).dtype));
  return cost;
}

/// The rest of the tensor is not touched: a cache of any length is written where the new keys go.
Cost cost_index_copy(const Operands& operands, std::span<const Type>) {
  Cost cost;
  cost.bytes_read = bytes_of(operands.tensor(2)) + bytes_of(operands.tensor(3));
  cost.bytes_written = bytes_of(operands.tensor(3));
  return cost;
}

constexpr Traits kTraits = {.single_operation = true, .dynamic = true};
constexpr Traits kFixed = {.single_operation = true};

constexpr OpEntry entry(std::string_view schema, Traits traits, InferRule infer, CostRule cost, LowerRule lower) {
  return {.schema = schema,
          .group = Group::kMemoryMovement,
          .variant = "Scatter",
          .traits = traits,
          .infer = infer,
          .cost = cost,
          .lower = lower};
}

constexpr std::array kEntries = {
    entry("aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", kTraits, contiguous_like_first,
          moves, scatter_source),
    entry("aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", kTraits,
          contiguous_like_first, moves, scatter_number),
    entry("aten::scatter_.value(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)", kTraits, in_place,
          cost_in_place, scatter_number),
    entry("aten::index_copy_(Tensor(a!) self, int dim, Tensor index, Tensor source) -> Tensor(a!)", kTraits, in_place,
          cost_index_copy, index_copy),
    entry("aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", kTraits, contiguous_like_first,
          cost_scatter_reduce, scatter_sum),
    entry("aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, "
          "bool include_self=True) -> Tensor",
          kTraits, contiguous_like_first, cost_scatter_reduce, scatter_reduced),
    entry("aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor", kTraits,
          like_first, moves, onnx_rules::index_put),
    entry("aten::masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor", kTraits, infer_masked_scatter,
          moves, masked_scatter),
    entry("aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor", kFixed, like_first, moves,
          select_scatter),
    entry("aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, "
          "SymInt step=1) -> Tensor",
          kFixed, like_first, moves, slice_scatter),
};

}  // namespace

std::span<const OpEntry> scatter_entries() { return kEntries; }

}  // namespace nongemm
