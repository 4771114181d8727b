// How much memory an inference will need, from the graph alone.
#pragma once

#include "graph/graph.h"

namespace nongemm {

struct MemoryEstimate {
  double weights = 0;      // bytes of parameters, buffers and constants
  double activations = 0;  // most bytes alive at once; what operators allocate inside is not known
};

/// Values die after their last use; views keep their storage alive. Unknown dimensions count as 0.
MemoryEstimate estimate_memory(const Graph& graph);

}  // namespace nongemm
