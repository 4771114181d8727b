#include "analysis/rank_lanes.h"

#include <algorithm>

namespace nongemm {
namespace {

double seconds(std::int64_t ns) { return static_cast<double>(ns) * 1e-9; }

bool same_calls(const std::vector<RankLane>& lanes) {
  return std::all_of(lanes.begin(), lanes.end(), [&](const RankLane& lane) {
    return std::equal(lane.calls.begin(), lane.calls.end(), lanes[0].calls.begin(), lanes[0].calls.end(),
                      [](const LaneCall& a, const LaneCall& b) { return a.label == b.label; });
  });
}

}  // namespace

void RankLane::add(const LaneCall& call, std::vector<LaneStep> steps, std::int64_t idle_ns) {
  steps.push_back({call.label, idle_ns, 0});
  calls.push_back(call);
  before.push_back(std::move(steps));
}

WaitSums::WaitSums(std::vector<LaneLabel> labels, std::size_t ranks, Beginning beginning)
    : labels_(std::move(labels)), beginning_(beginning) {
  result_.wall_s.resize(ranks);
  result_.groups_s.assign(ranks, std::vector<double>(kGroups.size()));
}

bool WaitSums::add(const std::vector<RankLane>& lanes) {
  if (!same_calls(lanes)) {
    ++result_.unmatched;
    return false;
  }
  ++result_.inferences;
  for (std::size_t call = 0; call < lanes[0].calls.size(); ++call) add_call(lanes, call);
  return true;
}

void WaitSums::add_apart(const std::vector<std::int64_t>& ahead_ns) {
  if (result_.device_clock_s.empty()) result_.device_clock_s.resize(ahead_ns.size());
  for (std::size_t rank = 0; rank < ahead_ns.size(); ++rank) result_.device_clock_s[rank] += seconds(ahead_ns[rank]);
}

void WaitSums::add_wall(std::size_t rank, std::int64_t ns) { result_.wall_s[rank] += seconds(ns); }

void WaitSums::add_busy(std::size_t rank, std::int64_t ns) {
  result_.busy_s.resize(result_.wall_s.size());
  result_.busy_s[rank] += seconds(ns);
}

void WaitSums::add_group(std::size_t rank, std::uint32_t label, std::int64_t ns) {
  const auto group = static_cast<std::size_t>(label == kNoLabel ? Group::kOther : labels_[label].group);
  if (group < kGroups.size()) result_.groups_s[rank][group] += seconds(ns);
}

void WaitSums::add_call(const std::vector<RankLane>& lanes, std::size_t call) {
  const bool by_clock = beginning_ == Beginning::kByClock;
  const auto comes_later = [&](const RankLane& a, const RankLane& b) {
    const LaneCall& one = a.calls[call];
    const LaneCall& other = b.calls[call];
    return by_clock ? one.begin_ns < other.begin_ns : one.time_ns() > other.time_ns();
  };
  const auto last = static_cast<std::size_t>(std::max_element(lanes.begin(), lanes.end(), comes_later) - lanes.begin());
  for (std::size_t rank = 0; rank < lanes.size(); ++rank) {
    const LaneCall& own = lanes[rank].calls[call];
    const LaneCall& of_last = lanes[last].calls[call];
    const std::int64_t apart = by_clock ? of_last.begin_ns - own.begin_ns : own.time_ns() - of_last.time_ns();
    // Where the clock is not right to the last, one may seem to come after the end.
    const std::int64_t waited = std::clamp<std::int64_t>(apart, 0, own.time_ns());
    const LaneLabel& label = labels_[own.label];
    RankCollective& row = collectives_[{rank, label.op}];
    row.rank = rank;
    row.op = label.op;
    row.calls += 1;
    row.bytes += label.bytes;
    row.limit_s += label.limit_s;
    row.time_s += seconds(own.time_ns());
    row.waiting_s += seconds(waited);
    row.transfer_s += seconds(own.time_ns() - waited);
    row.hidden_s += seconds(own.hidden_ns);
    if (rank != last && waited > 0) charge(lanes, call, rank, last, waited);
  }
}

/// Step by step what the last one took longer for. What the two were apart before that is charged to the collective
/// before.
void WaitSums::charge(const std::vector<RankLane>& lanes, std::size_t call, std::size_t rank, std::size_t last,
                      std::int64_t waited_ns) {
  const std::vector<LaneStep>& own = lanes[rank].before[call];
  const std::vector<LaneStep>& other = lanes[last].before[call];
  const bool same = std::equal(own.begin(), own.end(), other.begin(), other.end(),
                               [](const LaneStep& a, const LaneStep& b) { return a.label == b.label; });
  std::int64_t charged = 0;
  for (std::size_t i = 0; same && i < own.size(); ++i) {
    const std::int64_t idle = other[i].idle_ns - own[i].idle_ns;
    const std::int64_t busy = other[i].busy_ns - own[i].busy_ns;
    add_wait(rank, last, other[i].label, /*idle=*/true, idle);
    add_wait(rank, last, other[i].label, /*idle=*/false, busy);
    charged += idle + busy;
  }
  const std::uint32_t before = call > 0 && same ? lanes[rank].calls[call - 1].label : kNoLabel;
  add_wait(rank, last, before, /*idle=*/false, waited_ns - charged);
}

void WaitSums::add_wait(std::size_t rank, std::size_t last, std::uint32_t label, bool idle, std::int64_t ns) {
  if (ns == 0) return;
  const LaneLabel& what = label == kNoLabel ? LaneLabel() : labels_[label];
  RankWait& row = waits_[{rank, last, what.op, idle}];
  row.rank = rank;
  row.last = last;
  row.op = what.op;
  row.group = what.group;
  row.idle = idle;
  row.time_s += seconds(ns);
}

RankWaits WaitSums::finish() {
  const double part = result_.inferences > 0 ? 1.0 / static_cast<double>(result_.inferences) : 0.0;
  for (auto& [key, row] : collectives_) {
    for (double* value :
         {&row.calls, &row.bytes, &row.time_s, &row.transfer_s, &row.waiting_s, &row.hidden_s, &row.limit_s}) {
      *value *= part;
    }
    result_.collectives.push_back(std::move(row));
  }
  for (auto& [key, row] : waits_) {
    row.time_s *= part;
    result_.waits.push_back(std::move(row));
  }
  for (double& wall : result_.wall_s) wall *= part;
  for (double& busy : result_.busy_s) busy *= part;
  for (double& ahead : result_.device_clock_s) ahead *= part;
  for (std::vector<double>& rank : result_.groups_s) {
    for (double& group : rank) group *= part;
  }
  std::stable_sort(result_.collectives.begin(), result_.collectives.end(), [](const auto& a, const auto& b) {
    return a.rank != b.rank ? a.rank < b.rank : a.time_s > b.time_s;
  });
  std::stable_sort(result_.waits.begin(), result_.waits.end(),
                   [](const auto& a, const auto& b) { return a.time_s > b.time_s; });
  return std::move(result_);
}

}  // namespace nongemm
