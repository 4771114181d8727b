// Puts the tensors of a checkpoint to the weights of a model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"
#include "graph/graph.h"
#include "weights/checkpoint.h"
#include "weights/weight_spec.h"

namespace nongemm::weights {

struct BoundWeights {
  /// One per spec, in order, under the spec's name, shape and dtype.
  NamedTensors tensors;
  /// Entries of the checkpoint that were left aside: buffers the model computes itself, heads of other tasks.
  std::vector<std::string> ignored;
  /// Tensors whose floating-point type was converted to the model's.
  std::size_t converted = 0;
};

/// Finds each spec's tensor by its name as published: as it is, renamed (`rules.renames`, "LayerNorm.gamma"), with one
/// of `rules.optional_prefixes` added or taken away (transformers' base-model rule), without "module." (DataParallel),
/// or under an alias. When a model without its task prefix is given a checkpoint with one, the heads beside it are
/// ignored. Tensors of the wanted dtype are passed on as they are, others converted in parallel (floating-point types
/// only).
/// @param model for messages: "gpt2"
/// @throws Error (kBadInput) that names all tensors that are missing, unexpected, or of wrong shape or type at once
BoundWeights bind_weights(const std::vector<WeightSpec>& specs, const CheckpointRules& rules,
                          const Checkpoint& checkpoint, std::string_view model, int threads = 0);

}  // namespace nongemm::weights
