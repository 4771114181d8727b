// A model shared by several processes, each with a device of its own.
#pragma once

#include <string>

namespace nongemm {

/// One of the processes that run a model together, and where they meet.
struct RankPlace {
  int rank = 0;
  int ranks = 1;
  /// "file:PATH" of a file that all ranks reach and none has made, "tcp:HOST:PORT" of rank 0, or "agent:HOST:PORT" of a
  /// store that a launcher keeps there.
  std::string meeting = {};
  /// The longest that a rank waits for the others, in seconds.
  double most_seconds = 300;
  /// How the model is cut: a file (docs/tensor-parallel.md); empty: the architecture's own plan.
  std::string plan = {};

  bool is_one_of_several() const { return ranks > 1; }
};

}  // namespace nongemm
