#include "analysis/rank_waits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "analysis/rank_lanes.h"
#include "base/statistics.h"
#include "ops/communication.h"
#include "ops/op.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

/// What a node means here.
struct NodeRole {
  bool collective = false;
  NodeId waits_for = kNoId;  // of a wait: whose result it is
};

struct GraphLabels {
  std::vector<LaneLabel> labels;  // by node
  std::vector<NodeRole> roles;

  GraphLabels(const Graph& graph, const CollectiveLimits* limits) {
    for (const Node& node : graph.nodes) {
      LaneLabel label{.op = node.op};
      NodeRole role;
      if (const Op* op = OpTable::get().find(node.op)) label.group = group_of(graph, node, *op);
      if (node.op == kWaitForCollective) {
        for_each_use(node.args[0], [&](ValueId value) { role.waits_for = graph.values[value].producer; });
      } else if (is_collective(node.op)) {
        role.collective = true;
        for (const ValueId output : node.outputs) label.bytes += rules::bytes_of(graph.values[output].type);
        for_each_use(node.args[0], [&](ValueId value) {
          if (limits == nullptr) return;
          label.limit_s = time_of_collective(*limits, node.op, rules::bytes_of(graph.values[value].type));
        });
      }
      labels.push_back(std::move(label));
      roles.push_back(role);
    }
  }
};

/// From the spans of a host, which come one after another.
RankLane lane_of_host(const RankTrace& trace, const GraphLabels& graph, std::int64_t offset_ns) {
  RankLane lane;
  std::map<NodeId, std::size_t> open;
  std::vector<LaneStep> steps;
  std::int64_t at = trace.begin_ns;
  for (const NodeSpan& span : trace.spans) {
    const NodeRole& role = graph.roles[span.node];
    const auto call = open.find(role.waits_for);
    if (role.collective) {
      open[span.node] = lane.calls.size();
      lane.add({span.node, span.begin_ns - offset_ns, span.end_ns - offset_ns, 0}, std::exchange(steps, {}),
               span.begin_ns - at);
    } else if (role.waits_for != kNoId && call != open.end()) {
      LaneCall& ended = lane.calls[call->second];
      ended.hidden_ns += std::max<std::int64_t>(0, span.begin_ns - offset_ns - ended.end_ns);
      ended.end_ns = span.end_ns - offset_ns;
      steps.clear();
    } else {
      steps.push_back({span.node, span.begin_ns - at, span.end_ns - span.begin_ns});
    }
    at = span.end_ns;
  }
  return lane;
}

/// Where a host was while its device had nothing to do, operator by operator.
class IdleReasons {
 public:
  /// @param spans of the host, in order; none where they were not recorded
  explicit IdleReasons(const std::vector<NodeSpan>& spans) : spans_(spans) {}

  /// Adds what came before a record of `node` that begins at `end_ns`: the host's steps since the record before, each
  /// idle for as long as the host was in it, and gives what is left, which is the launch's own.
  std::int64_t charge(NodeId node, std::int64_t begin_ns, std::int64_t end_ns, std::vector<LaneStep>& steps) {
    std::int64_t left = std::max<std::int64_t>(0, end_ns - begin_ns);
    while (next_ < spans_.size() && spans_[next_].node != node && knows(node)) {
      const NodeSpan& span = spans_[next_++];
      const std::int64_t idle = std::min(span.end_ns, end_ns) - std::max(span.begin_ns, begin_ns);
      steps.push_back({span.node, std::clamp<std::int64_t>(idle, 0, left), 0});
      left -= steps.back().idle_ns;
    }
    return left;
  }

 private:
  /// Whether the host still comes to it.
  bool knows(NodeId node) {
    if (node == known_) return true;
    const auto found = std::find_if(spans_.begin() + static_cast<std::ptrdiff_t>(next_), spans_.end(),
                                    [&](const NodeSpan& span) { return span.node == node; });
    if (found != spans_.end()) known_ = node;
    return found != spans_.end();
  }

  const std::vector<NodeSpan>& spans_;
  std::size_t next_ = 0;
  NodeId known_ = kNoId;
};

/// From the records of a device, whose streams run beside one another.
/// @param label of a record; kNoLabel for one that nothing is known of
/// @param is_collective by position in the records
template <typename Label, typename IsCollective>
RankLane lane_of_device(const std::vector<DeviceRecord>& device, const std::vector<NodeSpan>& spans,
                        std::int64_t begin_ns, const Label& label, const IsCollective& is_collective) {
  std::vector<std::size_t> order(device.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return device[a].begin_ns < device[b].begin_ns; });
  RankLane lane;
  IdleReasons reasons(spans);
  std::vector<LaneStep> steps;
  std::int64_t at = begin_ns;
  std::int64_t others_end = begin_ns;  // of what is no collective
  for (const std::size_t i : order) {
    const DeviceRecord& record = device[i];
    const std::int64_t idle = reasons.charge(label(i), at, record.begin_ns, steps);
    if (is_collective(i)) {
      const std::int64_t hidden =
          std::clamp<std::int64_t>(others_end - record.begin_ns, 0, record.end_ns - record.begin_ns);
      lane.add({label(i), record.begin_ns, record.end_ns, hidden}, std::exchange(steps, {}), idle);
    } else {
      steps.push_back({label(i), idle, std::max<std::int64_t>(0, record.end_ns - std::max(at, record.begin_ns))});
      // What runs beside a collective that is not over hides it.
      if (!lane.calls.empty()) {
        LaneCall& call = lane.calls.back();
        const std::int64_t begin = std::max(record.begin_ns, others_end);
        const std::int64_t end = std::min(record.end_ns, call.end_ns);
        if (begin >= call.begin_ns && end > begin) call.hidden_ns += end - begin;
      }
      others_end = std::max(others_end, record.end_ns);
    }
    at = std::max(at, record.end_ns);
  }
  return lane;
}

/// A collective's own kernel is its node's last: the functional kind copies its operand first.
RankLane lane_of_device(const RankTrace& trace, const GraphLabels& graph) {
  std::map<NodeId, std::size_t> last;
  for (std::size_t i = 0; i < trace.device.size(); ++i) {
    const NodeId node = trace.device[i].node;
    if (node == kNoId || !graph.roles[node].collective) continue;
    const auto [known, is_new] = last.emplace(node, i);
    if (!is_new && trace.device[i].end_ns > trace.device[known->second].end_ns) known->second = i;
  }
  return lane_of_device(
      trace.device, trace.spans, trace.begin_ns, [&](std::size_t i) { return trace.device[i].node; },
      [&](std::size_t i) {
        const auto kernel = last.find(trace.device[i].node);
        return kernel != last.end() && kernel->second == i;
      });
}

/// Brings the clocks of devices together: ranks leave a collective at the same time, which tells more than what two
/// processes say of their hosts' clocks and CUPTI of its own.
/// @return by rank how far its clock was ahead of the first rank's, ns
std::vector<std::int64_t> align_ends(std::vector<RankLane>& lanes) {
  std::vector<std::int64_t> ahead(lanes.size(), 0);
  for (std::size_t rank = 1; rank < lanes.size(); ++rank) {
    std::vector<double> later;
    const std::size_t calls = std::min(lanes[0].calls.size(), lanes[rank].calls.size());
    for (std::size_t call = 0; call < calls; ++call) {
      later.push_back(static_cast<double>(lanes[rank].calls[call].end_ns - lanes[0].calls[call].end_ns));
    }
    if (!later.empty()) ahead[rank] = std::llround(median(later));
    for (LaneCall& call : lanes[rank].calls) {
      call.begin_ns -= ahead[rank];
      call.end_ns -= ahead[rank];
    }
  }
  return ahead;
}

/// In which something ran: kernels may run beside one another, a host's nodes do not.
std::int64_t busy_ns(const RankTrace& trace) {
  std::int64_t busy = 0;
  if (trace.device.empty()) {
    for (const NodeSpan& span : trace.spans) busy += span.end_ns - span.begin_ns;
    return busy;
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> times;
  for (const DeviceRecord& record : trace.device) times.emplace_back(record.begin_ns, record.end_ns);
  std::sort(times.begin(), times.end());
  std::int64_t at = times.front().first;
  for (const auto& [begin, end] : times) {
    busy += std::max<std::int64_t>(0, end - std::max(at, begin));
    at = std::max(at, end);
  }
  return busy;
}

/// Inferences that were not slow on any rank: beyond the 90th percentile of one.
std::vector<std::size_t> undisturbed(const RankTraces& traces) {
  const std::size_t count = traces.by_rank.empty() ? 0 : traces.by_rank[0].size();
  std::vector<bool> slow(count, false);
  for (const std::vector<RankTrace>& rank : traces.by_rank) {
    std::vector<double> wall;
    for (const RankTrace& trace : rank) wall.push_back(static_cast<double>(trace.end_ns - trace.begin_ns));
    const double limit = wall.empty() ? 0.0 : quantile(wall, 0.9);
    for (std::size_t i = 0; i < count; ++i) slow[i] = slow[i] || wall[i] > limit;
  }
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < count; ++i) {
    if (!slow[i]) kept.push_back(i);
  }
  if (!kept.empty()) return kept;
  // Of a few inferences each may have been slow on one of the ranks.
  for (std::size_t i = 0; i < count; ++i) kept.push_back(i);
  return kept;
}

}  // namespace

bool transfers_exceed(const RankWaits& waits) {
  constexpr double kClearly = 1.1;
  double transfer_s = 0;
  double limit_s = 0;
  for (const RankCollective& row : waits.collectives) {
    if (std::isnan(row.limit_s)) continue;
    transfer_s += row.transfer_s;
    limit_s += row.limit_s;
  }
  return transfer_s > 0 && limit_s > kClearly * transfer_s;
}

RankWaits rank_waits(const RankTraces& traces, const Graph& graph, const CollectiveLimits* limits) {
  const GraphLabels labels(graph, limits);
  WaitSums sums(labels.labels, traces.by_rank.size(), Beginning::kByClock);
  for (const std::size_t inference : undisturbed(traces)) {
    std::vector<RankLane> lanes;
    for (std::size_t rank = 0; rank < traces.by_rank.size(); ++rank) {
      const RankTrace& trace = traces.by_rank[rank][inference];
      lanes.push_back(trace.device.empty() ? lane_of_host(trace, labels, traces.clocks[rank].offset_ns)
                                           : lane_of_device(trace, labels));
    }
    const bool of_devices = !traces.by_rank[0][inference].device.empty();
    const std::vector<std::int64_t> ahead = of_devices ? align_ends(lanes) : std::vector<std::int64_t>();
    if (!sums.add(lanes)) continue;
    sums.add_apart(ahead);
    for (std::size_t rank = 0; rank < lanes.size(); ++rank) {
      const RankTrace& trace = traces.by_rank[rank][inference];
      sums.add_wall(rank, trace.end_ns - trace.begin_ns);
      for (const DeviceRecord& record : trace.device)
        sums.add_group(rank, record.node, record.end_ns - record.begin_ns);
      sums.add_busy(rank, busy_ns(trace));
      if (!trace.device.empty()) continue;
      for (const NodeSpan& span : trace.spans) sums.add_group(rank, span.node, span.end_ns - span.begin_ns);
    }
  }
  return sums.finish();
}

}  // namespace nongemm
