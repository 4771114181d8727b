#include "programs/ort/launches.h"

#include <algorithm>

namespace nongemm::ort_flow {
namespace {

/// The runtime's times are whole microseconds, rounded down: a node may have gone on for one more.
constexpr std::int64_t kRounding = 1000;
constexpr std::int64_t kStep = 500;

/// Position of the last span that begins at or before `time`; kNoId when none does.
std::uint32_t span_at(const std::vector<NodeSpan>& spans, std::int64_t time) {
  const auto after = std::upper_bound(spans.begin(), spans.end(), time,
                                      [](std::int64_t t, const NodeSpan& span) { return t < span.begin_ns; });
  return after == spans.begin() ? kNoId : static_cast<std::uint32_t>(after - spans.begin() - 1);
}

std::size_t launches_inside(const std::vector<NodeSpan>& spans, const std::vector<DeviceRecord>& records,
                            std::int64_t start) {
  return static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [&](const DeviceRecord& record) {
    const std::int64_t time = record.launch_ns - start;
    const std::uint32_t span = span_at(spans, time);
    return span != kNoId && time <= spans[span].end_ns + kRounding;
  }));
}

}  // namespace

std::int64_t profile_start(const std::vector<NodeSpan>& spans, const std::vector<DeviceRecord>& records,
                           std::int64_t earliest_ns, std::int64_t most_ns) {
  std::size_t best = 0;
  std::int64_t first = earliest_ns;
  std::int64_t last = earliest_ns;
  for (std::int64_t start = earliest_ns; start <= earliest_ns + most_ns; start += kStep) {
    const std::size_t inside = launches_inside(spans, records, start);
    if (inside > best) {
      best = inside;
      first = start;
    }
    // Only what joins the first of the best: a second maximum further on is chance.
    if (inside == best && (inside > 0) && (start == first || start == last + kStep)) last = start;
  }
  return first + (last - first) / 2;
}

void assign_launches(Trace& trace) {
  for (DeviceRecord& record : trace.device) {
    record.span = record.launch_ns != 0 ? span_at(trace.nodes, record.launch_ns) : kNoId;
    record.node = record.span != kNoId ? trace.nodes[record.span].node : kNoId;
  }
  for (SynchronisationRecord& wait : trace.synchronisations) {
    const std::uint32_t span = span_at(trace.nodes, wait.begin_ns);
    wait.node = span != kNoId && wait.begin_ns <= trace.nodes[span].end_ns + kRounding ? trace.nodes[span].node : kNoId;
  }
}

}  // namespace nongemm::ort_flow
