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
};

}  // namespace

std::span<const OpEntry> embedding_entries() { return kEntries; }

}  // namespace nongemm
