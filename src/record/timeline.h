// One inference in time, as it was recorded: what the host called, what the device did, and when it had nothing to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "record/trace.h"

namespace nongemm {

/// Of each kind of entries: what the largest report keeps (--keep timeline) and what every report does.
inline constexpr std::size_t kMostRecordsKept = 100000;
inline constexpr std::size_t kRecordsKept = 20000;

/// Times in ns from the begin of the inference.
struct TimelineEntry {
  std::int64_t begin_ns = 0;
  std::int64_t duration_ns = 0;
  /// Before it the device had nothing to do for so long; on a host: it was in no call. 0 for the first, whose wait is
  /// the head.
  std::int64_t gap_ns = 0;
  NodeId node = kNoId;  // that it belongs to, and that its gap is charged to; or a step of the runtime's program
};

struct TimelineRecord : TimelineEntry {
  std::int64_t launch_ns = -1;  // when the host called for it; -1 where that was not recorded
  std::uint32_t stream = 0;
  std::uint64_t bytes = 0;  // of copies and fills
  std::string name;         // the kernel's, or the kind of copy
  std::size_t record = 0;   // position in Trace::device
};

struct Timeline {
  std::int64_t wall_ns = 0;
  std::int64_t head_ns = 0;  // until the first call on a host, the first record on a device
  std::int64_t tail_ns = 0;  // after the last of these
  /// Each in order of begin.
  std::vector<TimelineEntry> calls;  // gaps are here where there is no device
  std::vector<TimelineEntry> waits;  // of the host for the device
  std::vector<TimelineRecord> device;
  /// What came after the first `most` entries of each list is not in it.
  std::size_t left_out = 0;
};

/// @param most entries of each list at most
Timeline timeline_of(const Trace& trace, std::size_t most);

}  // namespace nongemm
