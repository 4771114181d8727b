// Weights that a graph's preparation makes of stored ones, on the host: for runtimes that take weights as they are
// used.
#pragma once

#include <cstddef>
#include <functional>

#include "base/tensor.h"
#include "graph/graph.h"

namespace nongemm::weights {

/// One of a graph's weights, made when it is asked for.
/// @param place in Graph::weights
/// @param stored gives one of Graph::stored_weights()
/// @throws Error (kUnsupported) where the preparation has an operator that is not computed here, (kBadInput) for a
///         weight that is not finite
HostTensor made_weight(const Graph& graph, std::size_t place,
                       const std::function<HostTensor(std::size_t stored)>& stored);

}  // namespace nongemm::weights
