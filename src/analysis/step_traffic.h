// What a step of a text generation has to read at least.
#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace nongemm {

struct StepTraffic {
  /// Weights, each once: of an embedding the rows that are looked up, of a mixture the experts that can be chosen.
  double weight_bytes = 0;
  /// Keys and values of the tokens before.
  double cache_bytes = 0;
};

/// @param cached tokens per sample in the cache, which may have room for more
StepTraffic step_traffic(const Graph& graph, std::int64_t cached);

}  // namespace nongemm
