// Keeps a graph's inputs, weights and constants as they are from one inference to the next.
#pragma once

#include "graph/graph.h"

namespace nongemm {

/// Puts a copy of every input, weight and constant that some node writes into at the graph's beginning, and lets the
/// nodes use the copy: weights lie in mapped files, and every inference is to start from the same state.
void protect_state(Graph& graph);

}  // namespace nongemm
