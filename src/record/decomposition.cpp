#include "record/decomposition.h"

#include <algorithm>
#include <numeric>

namespace nongemm {
namespace {

NodeShare& share_of(Decomposition& parts, NodeId node) {
  return node < parts.nodes.size() ? parts.nodes[node] : parts.unattributed;
}

void add(NodeShare& sum, const NodeShare& share) {
  sum.kernel_ns += share.kernel_ns;
  sum.device_ns += share.device_ns;
  sum.gap_ns += share.gap_ns;
  sum.records += share.records;
}

void scale(NodeShare& share, double factor) {
  share.kernel_ns *= factor;
  share.device_ns *= factor;
  share.gap_ns *= factor;
  share.records *= factor;
}

}  // namespace

std::int64_t align_to_window(Trace& trace) {
  if (trace.device.empty()) return 0;
  std::int64_t first = trace.device.front().begin_ns;
  std::int64_t last = trace.device.front().end_ns;
  for (const DeviceRecord& record : trace.device) {
    first = std::min(first, record.begin_ns);
    last = std::max(last, record.end_ns);
  }
  const std::int64_t early = trace.begin_ns - first;
  const std::int64_t late = last - trace.end_ns;
  if (early <= 0 && late <= 0) return 0;
  if (early + late > 0) return 0;  // longer than the window: no shift makes it fit
  const std::int64_t shift = early > 0 ? early : -late;
  for (DeviceRecord& record : trace.device) {
    record.begin_ns += shift;
    record.end_ns += shift;
  }
  return shift;
}

double Decomposition::device_ns() const {
  return std::accumulate(nodes.begin(), nodes.end(), unattributed.device_ns,
                         [](double sum, const NodeShare& share) { return sum + share.device_ns; });
}

double Decomposition::gap_ns() const {
  return std::accumulate(nodes.begin(), nodes.end(), unattributed.gap_ns,
                         [](double sum, const NodeShare& share) { return sum + share.gap_ns; });
}

double Decomposition::kernel_ns() const {
  return std::accumulate(nodes.begin(), nodes.end(), unattributed.kernel_ns,
                         [](double sum, const NodeShare& share) { return sum + share.kernel_ns; });
}

double Decomposition::attributed_share() const {
  const double all = kernel_ns();
  return all > 0 ? 1.0 - unattributed.kernel_ns / all : 1.0;
}

Decomposition decompose(const Trace& trace, std::size_t node_count) {
  Decomposition parts;
  parts.wall_ns = static_cast<double>(trace.end_ns - trace.begin_ns);
  parts.nodes.resize(node_count);

  std::vector<const DeviceRecord*> records;
  for (const DeviceRecord& record : trace.device) records.push_back(&record);
  std::stable_sort(records.begin(), records.end(),
                   [](const DeviceRecord* a, const DeviceRecord* b) { return a->begin_ns < b->begin_ns; });

  std::int64_t covered_until = trace.begin_ns;
  bool any = false;
  for (const DeviceRecord* record : records) {
    NodeShare& share = share_of(parts, record->node);
    const std::int64_t duration = record->end_ns - record->begin_ns;
    share.kernel_ns += static_cast<double>(duration);
    share.records += 1;
    const std::int64_t begin = std::clamp(record->begin_ns, trace.begin_ns, trace.end_ns);
    const std::int64_t end = std::clamp(record->end_ns, begin, std::max(begin, trace.end_ns));
    parts.clipped_ns += static_cast<double>(duration - (end - begin));
    if (begin > covered_until) {
      (any ? share.gap_ns : parts.head_ns) += static_cast<double>(begin - covered_until);
      covered_until = begin;
    }
    if (end > covered_until) {
      share.device_ns += static_cast<double>(end - covered_until);
      covered_until = end;
    }
    any = true;
  }
  parts.tail_ns = static_cast<double>(trace.end_ns - covered_until);
  return parts;
}

Decomposition mean_of(std::span<const Decomposition> parts) {
  Decomposition mean;
  if (parts.empty()) return mean;
  mean.nodes.resize(parts.front().nodes.size());
  for (const Decomposition& part : parts) {
    mean.wall_ns += part.wall_ns;
    mean.head_ns += part.head_ns;
    mean.tail_ns += part.tail_ns;
    mean.clipped_ns += part.clipped_ns;
    add(mean.unattributed, part.unattributed);
    for (std::size_t i = 0; i < mean.nodes.size(); ++i) add(mean.nodes[i], part.nodes[i]);
  }
  const double factor = 1.0 / static_cast<double>(parts.size());
  mean.wall_ns *= factor;
  mean.head_ns *= factor;
  mean.tail_ns *= factor;
  mean.clipped_ns *= factor;
  scale(mean.unattributed, factor);
  for (NodeShare& share : mean.nodes) scale(share, factor);
  return mean;
}

Decomposition without_overhead(const Decomposition& measured, double plain_wall_ns) {
  Decomposition plain = measured;
  plain.wall_ns = plain_wall_ns;
  const double idle = measured.head_ns + measured.gap_ns() + measured.tail_ns;
  const double overhead = measured.wall_ns - plain_wall_ns;
  // Also the other way: a pass that happened to be faster than the plain median is stretched.
  const double factor = idle > 0 ? std::max(0.0, (idle - overhead) / idle) : 0.0;
  plain.head_ns *= factor;
  plain.tail_ns *= factor;
  plain.unattributed.gap_ns *= factor;
  for (NodeShare& share : plain.nodes) share.gap_ns *= factor;
  return plain;
}

std::vector<double> host_time(const Trace& trace, std::size_t node_count) {
  std::vector<double> times(node_count);
  for (const NodeSpan& span : trace.nodes) {
    if (span.node < node_count) times[span.node] += static_cast<double>(span.end_ns - span.begin_ns);
  }
  return times;
}

std::vector<double> wait_time(const Trace& trace, std::size_t node_count) {
  std::vector<double> times(node_count);
  for (const SynchronisationRecord& wait : trace.synchronisations) {
    if (wait.node < node_count) times[wait.node] += static_cast<double>(wait.end_ns - wait.begin_ns);
  }
  return times;
}

}  // namespace nongemm
