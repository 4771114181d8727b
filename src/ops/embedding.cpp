// Embedding: rows of a table by index.
#include <algorithm>
#include <array>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

/// weight [rows, width], indices [...] -> [..., width]
std::vector<Type> infer_embedding(const Operands& operands) {
  Shape shape = operands.tensor(1).shape;
  shape.push_back(operands.tensor(0, 1).shape.back());
  return {tensor_type(operands.tensor(0).dtype, shape)};
}

Cost cost_embedding(const Operands& operands, std::span<const Type> results) {
  Cost cost;
  cost.bytes_written = bytes_of(results[0]);
  cost.bytes_read = std::min(cost.bytes_written, bytes_of(operands.tensor(0))) + bytes_of(operands.tensor(1));
  return cost;
}

/// A row for each bag. What else is given only serves training, and its sizes are the device's business.
std::vector<Type> infer_bag(const Operands& operands) {
  const Type& weight = operands.tensor(0, 2);
  const Type& offsets = operands.tensor(2, 1);
  std::int64_t bags = offsets.shape[0];
  if (bags != kDynamic && operands.flag(operands.position("include_last_offset"))) bags -= 1;
  return {tensor_type(weight.dtype, {bags, weight.shape[1]}), tensor_type(offsets.dtype, {kDynamic}),
          tensor_type(offsets.dtype, {kDynamic}), tensor_type(offsets.dtype, {kDynamic})};
}

/// Each index adds its row to its bag's.
Cost cost_bag(const Operands& operands, std::span<const Type> results) {
  constexpr std::int64_t kMean = 1;
  const Type& indices = operands.tensor(1);
  const std::size_t per_sample = operands.position("per_sample_weights");
  const double width = count_of(tensor_type(results[0].dtype, {results[0].shape[1]}));
  const double rows = count_of(indices);
  Cost cost;
  cost.bytes_read = rows * bytes_of(tensor_type(results[0].dtype, {results[0].shape[1]})) + bytes_of(indices) +
                    bytes_of(operands.tensor(2));
  if (operands.has(per_sample)) cost.bytes_read += bytes_of(operands.tensor(per_sample));
  cost.bytes_written = bytes_of(results[0]);
  cost.flops = rows * width * (operands.has(per_sample) ? 2.0 : 1.0);
  if (operands.integer(operands.position("mode")) == kMean) cost.flops += count_of(results[0]);
  return cost;
}

void lower_embedding(OnnxLowering& onnx) { onnx.result(onnx.gather(onnx.tensor(0), onnx.tensor(1))); }

constexpr std::array kEntries = {
    OpEntry{.schema = "aten::embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, "
                      "bool scale_grad_by_freq=False, bool sparse=False) -> Tensor",
            .group = Group::kEmbedding,
            .variant = "Embedding",
            .traits = {.single_operation = true, .dynamic = true},
            .infer = infer_embedding,
            .cost = cost_embedding,
            .lower = lower_embedding},
    OpEntry{.schema =
                "aten::_embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, "
                "int mode=0, bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, "
                "int padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)",
            .group = Group::kEmbedding,
            .variant = "EmbeddingBag",
            .traits = {.dynamic = true, .reduction = true},
            .infer = infer_bag,
            .cost = cost_bag},
};

}  // namespace

std::span<const OpEntry> embedding_entries() { return kEntries; }

}  // namespace nongemm
