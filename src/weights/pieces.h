// Weights that checkpoints hold in pieces: each expert of a mixture by itself (CheckpointRules::pieces).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "weights/checkpoint.h"
#include "weights/weight_spec.h"

namespace nongemm::weights {

/// Entries of a checkpoint that make up one weight, by their number in piece_names().
using Pieces = std::map<std::size_t, std::string>;

/// Names of a weight's pieces in the order in which they lie in it; nothing for a weight that only comes whole.
std::vector<std::string> piece_names(const WeightSpec& spec, const CheckpointRules& rules);

/// Adds to `missing` and `wrong` what keeps the pieces from making up the weight.
void check_pieces(const WeightSpec& spec, const std::vector<std::string>& names, const Pieces& pieces,
                  const Checkpoint& checkpoint, std::vector<std::string>& missing, std::vector<std::string>& wrong);

/// The weights whose `pieces` are not empty, put together in place of the list's empty tensors, in the specs' types.
/// Returns how many were converted. The pieces have been checked.
/// @throws Error (kOutOfMemory)
std::size_t join_pieces(const std::vector<WeightSpec>& specs, const std::vector<Pieces>& pieces,
                        const Checkpoint& checkpoint, NamedTensors& tensors, int threads);

}  // namespace nongemm::weights
