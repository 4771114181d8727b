// When a device had something to do, and what it waited for.
#pragma once

#include <cstdint>
#include <vector>

#include "record/trace.h"

namespace nongemm {

struct BusyTime {
  std::int64_t first_ns = 0;
  std::int64_t last_ns = 0;
  /// Time in which at least one activity ran.
  std::int64_t busy_ns = 0;
  /// By activity: how long nothing ran before it began.
  std::vector<std::int64_t> gap_before_ns;
  /// By activity: its duration without what overlaps. Time in which several run belongs to the one that began first, as
  /// in `decompose` of runs of ours, so that these add up to `busy_ns`.
  std::vector<std::int64_t> charged_ns;
};

/// Of all activities, whatever their stream.
BusyTime busy_time(const std::vector<DeviceRecord>& device);

/// Activities by the time of their begin: positions.
std::vector<std::uint32_t> in_order_of_time(const std::vector<DeviceRecord>& device);

}  // namespace nongemm
