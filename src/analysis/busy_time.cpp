#include "analysis/busy_time.h"

#include <algorithm>
#include <numeric>

namespace nongemm {

std::vector<std::uint32_t> in_order_of_time(const std::vector<DeviceRecord>& device) {
  std::vector<std::uint32_t> order(device.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto earlier = [&](std::uint32_t a, std::uint32_t b) { return device[a].begin_ns < device[b].begin_ns; };
  // As most profilers write them.
  if (!std::is_sorted(order.begin(), order.end(), earlier)) std::stable_sort(order.begin(), order.end(), earlier);
  return order;
}

BusyTime busy_time(const std::vector<DeviceRecord>& device) {
  BusyTime time;
  time.gap_before_ns.resize(device.size());
  time.charged_ns.resize(device.size());
  if (device.empty()) return time;
  const std::vector<std::uint32_t> order = in_order_of_time(device);
  time.first_ns = time.last_ns = device[order.front()].begin_ns;
  for (const std::uint32_t at : order) {
    const DeviceRecord& record = device[at];
    if (record.begin_ns > time.last_ns) {
      time.gap_before_ns[at] = record.begin_ns - time.last_ns;
      time.last_ns = record.begin_ns;
    }
    if (record.end_ns > time.last_ns) {
      time.charged_ns[at] = record.end_ns - time.last_ns;
      time.busy_ns += time.charged_ns[at];
      time.last_ns = record.end_ns;
    }
  }
  return time;
}

}  // namespace nongemm
