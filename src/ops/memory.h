// How much memory an inference will need, from the graph alone.
#pragma once

#include "graph/graph.h"

namespace nongemm {

/// Of a value: 0 where a size is not known before the run.
double known_bytes_of(const Type& type);

struct MemoryEstimate {
  double weights = 0;      // bytes of parameters, buffers and constants
  double activations = 0;  // most bytes alive at once; what operators allocate inside is not known
};

/// Values die after their last use; views keep their storage alive. Unknown dimensions count as 0.
MemoryEstimate estimate_memory(const Graph& graph);

}  // namespace nongemm
