// What the ranks of one job did in the same inferences, on one clock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/trace.h"

namespace nongemm {

/// One rank's records of one inference.
struct RankTrace {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::vector<NodeSpan> spans;       // of a host
  std::vector<DeviceRecord> device;  // of a device: those of the timing pass
};

/// How far a rank's clock is ahead of the first rank's.
struct ClockOffset {
  std::int64_t offset_ns = 0;
  std::int64_t within_ns = 0;  // what it was measured to
};

/// Of all ranks the same inferences, in the same order.
struct RankTraces {
  std::vector<ClockOffset> clocks;              // by rank
  std::vector<std::vector<RankTrace>> by_rank;  // by rank and inference, each on its own clock
};

}  // namespace nongemm
