// For tests: what a trace's device records add up to, by other means than the decomposition that reports show.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "record/trace.h"

namespace nongemm::torch_flow {

/// The device's time within a trace, in ns, added up from its records alone: what decompose() gives is held to it.
struct DeviceTime {
  double kernels = 0;  // all durations
  double busy = 0;     // time in which at least one record runs
  double idle = 0;     // time in which none does, between the first and the last
  double head = 0;
  double tail = 0;
};

inline DeviceTime device_time(const Trace& trace) {
  DeviceTime time;
  std::vector<std::pair<std::int64_t, int>> changes;  // when a record begins (+1) and ends (-1)
  for (const DeviceRecord& record : trace.device) {
    const std::int64_t begin = std::clamp(record.begin_ns, trace.begin_ns, trace.end_ns);
    const std::int64_t end = std::clamp(record.end_ns, trace.begin_ns, trace.end_ns);
    time.kernels += static_cast<double>(record.end_ns - record.begin_ns);
    changes.emplace_back(begin, 1);
    changes.emplace_back(end, -1);
  }
  std::sort(changes.begin(), changes.end());
  for (std::size_t i = 0, running = 0; i + 1 < changes.size(); ++i) {
    running += static_cast<std::size_t>(changes[i].second);
    (running > 0 ? time.busy : time.idle) += static_cast<double>(changes[i + 1].first - changes[i].first);
  }
  time.head = static_cast<double>(changes.front().first - trace.begin_ns);
  time.tail = static_cast<double>(trace.end_ns - changes.back().first);
  return time;
}

}  // namespace nongemm::torch_flow
