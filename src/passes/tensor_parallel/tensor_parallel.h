// A graph cut among ranks: what one of them runs.
#pragma once

#include <string_view>

#include "graph/graph.h"
#include "spec/rank_place.h"

namespace nongemm::passes {

/// What the collectives' group of ranks is called.
inline constexpr std::string_view kRankGroup = "tensor_parallel";

/// The part of the graph that place.rank runs; the graph as it is for one rank. Linear layers are cut by outputs or
/// by inputs as the plan says, and what lies between them follows: sizes of views are those of a rank's heads and
/// channels. Sums over ranks are `_c10d_functional.all_reduce` and `wait_tensor`; biases of layers cut by inputs are
/// added once, afterwards. Weight::shard says which part of a checkpoint's weight is meant.
/// @param architecture config.json's model_type; empty for a model's file
/// @throws Error (kUnsupported) for a model without a plan or an operator that cannot be cut, (kUsage) for sizes that
///         do not divide by the ranks
Graph tensor_parallel(Graph graph, const RankPlace& place, std::string_view architecture);

}  // namespace nongemm::passes
