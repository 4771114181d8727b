// What ranks say to one another beside the model's own collectives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/collective_limits.h"

namespace nongemm {

/// Calls of all ranks in the same order; each throws Error(kFailed) where another rank does not come in time or is
/// gone.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int ranks() const = 0;
  /// Returns when all ranks have called it, at nearly the same time in each.
  virtual void barrier() = 0;
  /// What the first rank says.
  virtual std::int64_t from_first(std::int64_t number) = 0;
  /// What each rank says, in the order of ranks.
  virtual std::vector<std::string> exchange(const std::string& words) = 0;
  /// What the model's collectives take at best between these ranks' devices: takes seconds, so keep it. The first
  /// rank's are meant.
  virtual CollectiveLimits measure_collectives() = 0;
};

}  // namespace nongemm
