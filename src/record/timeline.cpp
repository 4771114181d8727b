#include "record/timeline.h"

#include <algorithm>

#include "record/kernel_sums.h"

namespace nongemm {
namespace {

template <typename Entry>
void in_order(std::vector<Entry>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.begin_ns < b.begin_ns; });
}

/// Gaps are told as `decompose` tells them (decomposition.h).
template <typename Entry>
void add_gaps(std::vector<Entry>& entries, Timeline& timeline) {
  std::int64_t covered_until = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Entry& entry = entries[i];
    const std::int64_t begin = std::clamp<std::int64_t>(entry.begin_ns, 0, timeline.wall_ns);
    const std::int64_t idle = std::max<std::int64_t>(begin - covered_until, 0);
    (i == 0 ? timeline.head_ns : entry.gap_ns) = idle;
    covered_until = std::max(covered_until, std::min(entry.begin_ns + entry.duration_ns, timeline.wall_ns));
  }
  timeline.tail_ns = timeline.wall_ns - covered_until;
}

template <typename Entry>
void cut(std::vector<Entry>& entries, std::size_t most, Timeline& timeline) {
  if (entries.size() <= most) return;
  timeline.left_out += entries.size() - most;
  entries.resize(most);
}

}  // namespace

Timeline timeline_of(const Trace& trace, std::size_t most) {
  Timeline timeline;
  timeline.wall_ns = trace.end_ns - trace.begin_ns;
  const auto entry = [&](const auto& record) {
    return TimelineEntry{record.begin_ns - trace.begin_ns, record.end_ns - record.begin_ns, 0, record.node};
  };
  for (const NodeSpan& span : trace.nodes) timeline.calls.push_back(entry(span));
  for (const SynchronisationRecord& wait : trace.synchronisations) timeline.waits.push_back(entry(wait));
  for (const DeviceRecord& record : trace.device) {
    TimelineRecord& row = timeline.device.emplace_back();
    static_cast<TimelineEntry&>(row) = entry(record);
    if (record.launch_ns != 0) row.launch_ns = record.launch_ns - trace.begin_ns;
    row.stream = record.stream;
    row.bytes = record.bytes;
    row.name = name_of(record, trace);
  }
  in_order(timeline.calls);
  in_order(timeline.waits);
  in_order(timeline.device);
  timeline.device.empty() ? add_gaps(timeline.calls, timeline) : add_gaps(timeline.device, timeline);
  cut(timeline.calls, most, timeline);
  cut(timeline.waits, most, timeline);
  cut(timeline.device, most, timeline);
  return timeline;
}

}  // namespace nongemm
