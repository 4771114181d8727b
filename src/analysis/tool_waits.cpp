// Ranks' waits from the files of another tool (rank_waits.h).
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "analysis/busy_time.h"
#include "analysis/collectives.h"
#include "analysis/named_group.h"
#include "analysis/rank_lanes.h"
#include "analysis/rank_waits.h"

namespace nongemm {
namespace {

/// Labels that the files of all ranks share.
class SharedLabels {
 public:
  std::uint32_t of(const std::string& op, Group group) {
    const auto [place, is_new] = numbers_.emplace(op, static_cast<std::uint32_t>(labels_.size()));
    if (is_new) labels_.push_back({op, group, 0});
    return place->second;
  }
  std::vector<LaneLabel> all() const { return labels_; }

 private:
  std::map<std::string, std::uint32_t> numbers_;
  std::vector<LaneLabel> labels_;
};

/// The operator that launched it, and what its kernel does where the operator says nothing.
std::uint32_t label_of(const ToolTrace& trace, const DeviceRecord& record, SharedLabels& labels) {
  const std::vector<std::string>& names = trace.trace.names;
  const std::string kernel = record.name != kNoId ? names[record.name] : "copy or fill";
  if (record.node == kNoId || trace.nodes[record.node].name == kNoId) return labels.of(kernel, group_of_kernel(kernel));
  const std::string& op = names[trace.nodes[record.node].name];
  std::string name = op;
  if (const std::size_t colons = name.find("::"); colons != std::string::npos) name.replace(colons, 2, ".");
  return labels.of(op, group_of_operator(name));
}

RankLane lane_of(const ToolTrace& trace, SharedLabels& labels) {
  const std::vector<DeviceRecord>& device = trace.trace.device;
  RankLane lane;
  std::vector<LaneStep> steps;
  std::int64_t at = device.empty() ? 0 : trace.trace.begin_ns;
  std::map<std::uint32_t, CollectiveCall> calls;
  for (CollectiveCall& call : collective_calls(trace)) calls.emplace(call.record, call);
  for (const std::uint32_t i : in_order_of_time(device)) {
    const DeviceRecord& record = device[i];
    const std::int64_t idle = std::max<std::int64_t>(0, record.begin_ns - at);
    const auto call = calls.find(i);
    if (call != calls.end()) {
      lane.add(
          {labels.of(call->second.name, Group::kCommunication), record.begin_ns, record.end_ns, call->second.hidden_ns},
          std::exchange(steps, {}), idle);
    } else {
      const std::int64_t begin = std::max(at, record.begin_ns);
      steps.push_back({label_of(trace, record, labels), idle, std::max<std::int64_t>(0, record.end_ns - begin)});
    }
    at = std::max(at, record.end_ns);
  }
  return lane;
}

}  // namespace

struct ToolWaits::State {
  SharedLabels labels;
  std::vector<RankLane> lanes;
};

ToolWaits::ToolWaits() : state_(std::make_unique<State>()) {}
ToolWaits::~ToolWaits() = default;

void ToolWaits::add(const ToolTrace& trace) { state_->lanes.push_back(lane_of(trace, state_->labels)); }

RankWaits ToolWaits::finish() {
  WaitSums sums(state_->labels.all(), state_->lanes.size(), Beginning::kByDuration);
  if (!state_->lanes.empty()) sums.add(state_->lanes);
  return sums.finish();
}

}  // namespace nongemm
