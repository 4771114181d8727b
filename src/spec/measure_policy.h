// How long something is measured.
#pragma once

#include <optional>

namespace nongemm {

struct MeasurePolicy {
  std::optional<int> iterations;  // exactly so many, instead of the interval rule
  std::optional<int> warmup;      // exactly so many, instead of the time rule
  double most_seconds = 10.0;     // of the latency pass; the node pass's traced runs take at most as long
};

}  // namespace nongemm
