#include "profile/queue_sources.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

namespace nongemm {
namespace {

/// Recorded inferences that launched something else, one in so many at most.
constexpr std::size_t kTracesForAMiss = 5;
constexpr std::size_t kLeastRecorded = 2;

using Work = std::tuple<DeviceRecord::Kind, std::uint32_t, std::uint64_t, std::string_view>;

Work work_of(const DeviceRecord& record, const Trace& trace) {
  const bool named = record.name != kNoId && record.name < trace.names.size();
  return {record.kind, record.stream, record.bytes, named ? std::string_view(trace.names[record.name]) : ""};
}

/// Positions of each stream's records in order of begin.
std::map<std::uint32_t, std::vector<std::size_t>> by_stream(const std::vector<DeviceRecord>& records) {
  std::map<std::uint32_t, std::vector<std::size_t>> streams;
  for (std::size_t i = 0; i < records.size(); ++i) streams[records[i].stream].push_back(i);
  for (auto& [stream, positions] : streams) {
    std::stable_sort(positions.begin(), positions.end(),
                     [&](std::size_t a, std::size_t b) { return records[a].begin_ns < records[b].begin_ns; });
  }
  return streams;
}

bool same_spans(const Trace& a, const Trace& b) {
  return std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
                    [](const NodeSpan& x, const NodeSpan& y) { return x.node == y.node; });
}

/// Puts the records of `trace` in the order of `order`'s, with nodes, spans and names of those. False when it launched
/// something else.
bool put_in_order(const Trace& order, Trace& trace) {
  if (trace.device.size() != order.device.size() || !same_spans(order, trace)) return false;
  const auto positions = by_stream(order.device);
  std::vector<DeviceRecord> ordered(order.device.size());
  for (const auto& [stream, found] : by_stream(trace.device)) {
    const auto counterpart = positions.find(stream);
    if (counterpart == positions.end() || counterpart->second.size() != found.size()) return false;
    for (std::size_t k = 0; k < found.size(); ++k) {
      const DeviceRecord& original = order.device[counterpart->second[k]];
      DeviceRecord record = trace.device[found[k]];
      if (work_of(record, trace) != work_of(original, order)) return false;
      record.node = original.node;
      record.span = original.span;
      record.name = original.name;
      ordered[counterpart->second[k]] = record;
    }
  }
  trace.device = std::move(ordered);
  trace.names = order.names;
  return true;
}

/// Why an attributed inference cannot be followed launch by launch; puts its records in the order of launching.
std::string follow(Trace& trace) {
  if (trace.nodes.empty()) return "the session tells no host spans";
  std::stable_sort(trace.device.begin(), trace.device.end(),
                   [](const DeviceRecord& a, const DeviceRecord& b) { return a.launch_ns < b.launch_ns; });
  std::uint32_t last = 0;
  for (const DeviceRecord& record : trace.device) {
    if (record.span >= trace.nodes.size() || record.launch_ns == 0) return "it is not known what launches each kernel";
    if (record.span < last) return "kernels are launched by several threads";
    last = record.span;
  }
  return trace.device.empty() ? "there are no kernels" : "";
}

}  // namespace

QueueSources::QueueSources(std::span<const Trace> attributed, std::vector<Trace> recorded) {
  for (const Trace& trace : attributed) {
    Trace followed = trace;
    obstacle_ = follow(followed);
    if (!obstacle_.empty()) return;
    // The same order by launches is the same order on each stream: ids and names are of the first.
    if (attributed_.empty() || put_in_order(attributed_.front(), followed)) attributed_.push_back(std::move(followed));
  }
  if (attributed_.empty()) {
    obstacle_ = "no inference was attributed";
    return;
  }
  const std::size_t all = recorded.size();
  for (Trace& trace : recorded) {
    if (trace.nodes.empty()) obstacle_ = "the session tells no host spans";
    if (put_in_order(attributed_.front(), trace)) recorded_.push_back(std::move(trace));
  }
  const bool differ = attributed_.size() < attributed.size() || all - recorded_.size() > all / kTracesForAMiss;
  if (obstacle_.empty() && (differ || recorded_.size() < kLeastRecorded)) {
    obstacle_ = "inferences differ in what they launch";
  }
}

}  // namespace nongemm
