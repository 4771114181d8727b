// What an inference has to hold in memory, by its dataflow.
#pragma once

#include <vector>

#include "graph/graph.h"

namespace nongemm {

/// Bytes of weights, constants, inputs and values that are alive when each node ends, by NodeId: a value lives from its
/// node to its last use, outputs to the end; views keep alive what they look at. What a runtime needs at least that
/// frees at once and computes nothing in place. NaN while something of unknown size is alive.
std::vector<double> alive_bytes(const Graph& graph);

}  // namespace nongemm
