// Collectives in the traces of one job's ranks: whether other work ran beside them, and how long they waited for one
// another.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "record/tool_trace.h"

namespace nongemm {

/// One kernel of a collective.
struct CollectiveCall {
  std::uint32_t record = 0;  // of Trace::device
  std::string name;          // "allreduce"
  std::string group;         // of ranks; empty where it is not told
  std::int64_t time_ns = 0;
  /// While other activities ran on the same device.
  std::int64_t hidden_ns = 0;
};

/// In order of time.
std::vector<CollectiveCall> collective_calls(const ToolTrace& trace);

/// Those of one name and group.
struct CollectiveSum {
  std::string name;
  std::string group;
  std::int64_t calls = 0;
  std::int64_t time_ns = 0;
  std::int64_t hidden_ns = 0;
  /// Beyond the same calls of the rank that took least for them: it came last. Absent for a rank alone, and where ranks
  /// do not have the same calls.
  std::optional<std::int64_t> waited_ns;
};

/// @param ranks the calls of each rank
/// @return by rank, the most time first
std::vector<std::vector<CollectiveSum>> collective_sums(const std::vector<std::vector<CollectiveCall>>& ranks);

}  // namespace nongemm
