#include "profile/prepare.h"

#include <fmt/format.h>

#include "base/error.h"
#include "data/synthetic_inputs.h"
#include "ops/memory.h"
#include "profile/machine.h"
#include "weights/binding.h"
#include "weights/checkpoint.h"

namespace nongemm {

PreparedInputs synthetic_inputs(const Graph& graph, std::uint64_t seed) {
  using data::SyntheticKind;
  std::vector<data::SyntheticInput> wanted;
  for (const Input& input : graph.inputs) {
    const Type& type = graph.values[input.value].type;
    data::SyntheticInput row{input.name, type.dtype, type.shape, SyntheticKind::kNormalPixels, input.kind.limit};
    switch (input.kind.content) {
      case InputKind::Content::kTokens:
        row.kind = SyntheticKind::kTokenIds;
        break;
      case InputKind::Content::kMask:
        row.kind = SyntheticKind::kOnes;
        break;
      case InputKind::Content::kImage:
        row.kind = SyntheticKind::kUniformPixels;
        break;
      case InputKind::Content::kPixels:
        break;
      case InputKind::Content::kOther:
        row.kind = SyntheticKind::kZeros;
        break;
    }
    wanted.push_back(std::move(row));
  }
  PreparedInputs inputs;
  inputs.source = fmt::format("synthetic, seed {}", seed);
  for (auto& [name, tensor] : data::make_synthetic_inputs(wanted, seed)) inputs.tensors.push_back(std::move(tensor));
  return inputs;
}

PreparedWeights prepare_weights(const Model& model, const Graph& graph, const WeightSource& source) {
  PreparedWeights weights;
  std::string path = source.path;
  if (path.empty() && !model.folder.empty()) path = model.folder;
  if (path.empty()) {
    weights.tensors.resize(graph.weights.size());
    weights.source = fmt::format("synthetic, seed {}", source.seed);
    return weights;
  }
  const weights::Checkpoint checkpoint = weights::open_checkpoint(path);
  weights::BoundWeights bound =
      weights::bind_weights(weights::weight_specs(graph), graph.checkpoint_rules, checkpoint, model.name);
  for (auto& [name, tensor] : bound.tensors) weights.tensors.push_back(std::move(tensor));
  weights.source = path;
  return weights;
}

void check_host_memory(const Graph& graph, const PreparedWeights& weights) {
  const MemoryEstimate estimate = estimate_memory(graph);
  double needed = estimate.activations;
  // Mapped checkpoints are backed by their files and need no memory of their own.
  bool drawn = weights.tensors.empty();
  for (const HostTensor& tensor : weights.tensors) drawn = drawn || !tensor.data;
  if (drawn) needed += estimate.weights;
  const double available = available_memory();
  if (needed > available) {
    throw Error(ErrorKind::kOutOfMemory,
                fmt::format("needs about {:.1f} GB ({:.1f} GB weights, {:.1f} GB activations), {:.1f} GB are free",
                            needed * 1e-9, drawn ? estimate.weights * 1e-9 : 0.0, estimate.activations * 1e-9,
                            available * 1e-9),
                "use --dtype bf16, a smaller --batch or a shorter --seq-len");
  }
}

}  // namespace nongemm
