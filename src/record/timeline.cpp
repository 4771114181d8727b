#include "record/timeline.h"

#include <algorithm>

#include "record/kernel_sums.h"

namespace nongemm {
namespace {

/// By begin. A trace may hold millions: nothing is made of them here.
template <typename Record>
std::vector<const Record*> in_order(const std::vector<Record>& records) {
  std::vector<const Record*> order;
  order.reserve(records.size());
  for (const Record& record : records) order.push_back(&record);
  const auto earlier = [](const Record* a, const Record* b) { return a->begin_ns < b->begin_ns; };
  if (!std::is_sorted(order.begin(), order.end(), earlier)) std::stable_sort(order.begin(), order.end(), earlier);
  return order;
}

/// Gaps are told as `decompose` tells them (decomposition.h).
class Gaps {
 public:
  explicit Gaps(Timeline& timeline) : timeline_(timeline) {}

  /// Of entries in order.
  void add(TimelineEntry& entry) {
    const std::int64_t begin = std::clamp<std::int64_t>(entry.begin_ns, 0, timeline_.wall_ns);
    const std::int64_t idle = std::max<std::int64_t>(begin - covered_until_, 0);
    (is_first_ ? timeline_.head_ns : entry.gap_ns) = idle;
    is_first_ = false;
    covered_until_ = std::max(covered_until_, std::min(entry.begin_ns + entry.duration_ns, timeline_.wall_ns));
  }
  void end() { timeline_.tail_ns = timeline_.wall_ns - covered_until_; }

 private:
  Timeline& timeline_;
  std::int64_t covered_until_ = 0;
  bool is_first_ = true;
};

}  // namespace

Timeline timeline_of(const Trace& trace, std::size_t most) {
  Timeline timeline;
  timeline.wall_ns = trace.end_ns - trace.begin_ns;
  const auto entry = [&](const auto& record) {
    return TimelineEntry{record.begin_ns - trace.begin_ns, record.end_ns - record.begin_ns, 0, record.node};
  };
  const auto add = [&](const auto& records, bool has_gaps, auto&& keep) {
    Gaps gaps(timeline);
    std::size_t seen = 0;
    for (const auto* record : in_order(records)) {
      TimelineEntry made = entry(*record);
      if (has_gaps) gaps.add(made);
      if (seen++ < most) keep(made, *record);
    }
    if (has_gaps) gaps.end();
    timeline.left_out += seen - std::min(seen, most);
  };
  const bool on_device = !trace.device.empty();
  add(trace.nodes, !on_device, [&](const TimelineEntry& made, const auto&) { timeline.calls.push_back(made); });
  add(trace.synchronisations, false, [&](const TimelineEntry& made, const auto&) { timeline.waits.push_back(made); });
  add(trace.device, on_device, [&](const TimelineEntry& made, const DeviceRecord& record) {
    TimelineRecord& row = timeline.device.emplace_back();
    static_cast<TimelineEntry&>(row) = made;
    if (record.launch_ns != 0) row.launch_ns = record.launch_ns - trace.begin_ns;
    row.stream = record.stream;
    row.bytes = record.bytes;
    row.name = name_of(record, trace);
    row.record = static_cast<std::size_t>(&record - trace.device.data());
  });
  return timeline;
}

}  // namespace nongemm
