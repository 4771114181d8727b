#include "analysis/roofline.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/steps.h"

namespace nongemm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// What a call takes however little it does: nothing for views, and for what was seen to launch nothing.
double shortest_s(const NodeRow& node, const DeviceLimits& limits) {
  return is_compute(node) && node.kernels != 0 ? limits.shortest_kernel_s.value_or(0.0) : 0.0;
}

}  // namespace

double product_rate(const NodeRow& node, const DeviceLimits& limits) {
  switch (node.compute_dtype) {
    case DType::kFloat32:
      return (node.in_tf32 ? limits.tf32_rate : limits.fp32_rate).value_or(kNaN);
    case DType::kFloat16:
      return limits.fp16_rate.value_or(kNaN);
    case DType::kBFloat16:
      return limits.bf16_rate.value_or(kNaN);
    case DType::kInt8:
    case DType::kUInt8:
      return limits.int8_rate.value_or(kNaN);
    default:
      return kNaN;
  }
}

double time_at_limit(const NodeRow& node, const DeviceLimits& limits) {
  const double memory_s = node.cost.bytes() / limits.copy_bandwidth.value_or(kNaN);
  const double moved_s = std::max(memory_s, shortest_s(node, limits));
  if (!counts_as_gemm(node.group)) return moved_s;  // vector units are never what a non-GEMM operator waits for here
  if (node.cost.flops == 0) return moved_s;
  const double compute_s = node.cost.flops / product_rate(node, limits);
  return std::isnan(compute_s) ? compute_s : std::max(moved_s, compute_s);
}

bool products_exceed(const Analysis& analysis, const DeviceLimits& limits) {
  constexpr double kClearly = 1.1;
  double time_s = 0;
  double limit_s = 0;
  for (const NodeRow& node : analysis.nodes) {
    const double at_rate = node.cost.flops * node.calls / product_rate(node, limits);
    if (!counts_as_gemm(node.group) || std::isnan(at_rate) || std::isnan(node.time_s)) continue;
    time_s += node.time_s;
    limit_s += at_rate;
  }
  return time_s > 0 && limit_s > kClearly * time_s;
}

namespace {

/// Of an inference, the mean over ranks.
struct MeanRank {
  double wall_s = 0;
  double transfer_s = 0;
  double at_limit_s = 0;
  double waiting_s = 0;
  double exposed_s = 0;
};

MeanRank mean_of(const RankWaits& ranks) {
  MeanRank mean;
  const double part = 1.0 / static_cast<double>(ranks.wall_s.size());
  for (const double wall_s : ranks.wall_s) mean.wall_s += part * wall_s;
  for (const RankCollective& row : ranks.collectives) {
    mean.transfer_s += part * row.transfer_s;
    mean.at_limit_s += part * std::min(row.limit_s, row.transfer_s);  // NaN where the limit is
    mean.waiting_s += part * row.waiting_s;
    mean.exposed_s += part * row.exposed_s();
  }
  return mean;
}

/// Adds a supposition about parts of `wall_s`.
void suppose(Roofline& roofline, const std::string& what, double now_s, double then_s, double wall_s,
             double latency_s) {
  if (std::isnan(now_s) || std::isnan(then_s) || wall_s <= 0) return;
  const double scaled = latency_s * (1.0 - (now_s - then_s) / wall_s);
  roofline.what_if.push_back({what, now_s, then_s, scaled, scaled > 0 ? latency_s / scaled : kNaN});
}

void suppose_of_ranks(Roofline& roofline, const RankWaits& ranks, double latency_s) {
  const MeanRank mean = mean_of(ranks);
  suppose(roofline, "collectives at their limit", mean.transfer_s, mean.at_limit_s, mean.wall_s, latency_s);
  suppose(roofline, "ranks in step", mean.waiting_s, 0.0, mean.wall_s, latency_s);
  suppose(roofline, "collectives hidden", mean.exposed_s, 0.0, mean.wall_s, latency_s);
}

}  // namespace

Roofline make_roofline(const Analysis& analysis, double latency_s, const RankWaits* ranks) {
  Roofline roofline;
  std::map<Group, double> limit_s;
  for (const NodeRow& node : analysis.nodes) {
    if (node.part_of != kNoId) continue;
    const double at_limit = node.limit_s * node.calls;
    // Small operands live in caches: an operator already faster than the limit stays as it is.
    limit_s[node.group] += std::min(at_limit, node.time_s);
  }
  const auto if_so = [&](const std::string& what, double now_s, double then_s) {
    suppose(roofline, what, now_s, then_s, analysis.wall_s, latency_s);
  };
  // What is fused away is no longer waited for; a host has no waits, and where they are not known time alone counts.
  const auto with_waits = [](const Bucket& group) {
    return group.time_s + (std::isnan(group.gap_s) ? 0.0 : group.gap_s);
  };
  double nongemm_limit = 0;
  double nongemm_waits = 0;
  for (const Bucket& group : analysis.groups) {
    if (counts_as_gemm(group.group, analysis.attention_is_gemm)) continue;
    nongemm_limit += limit_s[group.group];
    nongemm_waits += with_waits(group);
  }
  if_so("all non-GEMM at its limit", analysis.nongemm_s, nongemm_limit);
  if_so("all non-GEMM fused away", nongemm_waits, 0.0);
  if (analysis.on_device) {
    if_so("all launches free", analysis.gap_s + analysis.head_s + analysis.tail_s, 0.0);
  } else {
    if_so("executor free", analysis.outside_s, 0.0);
  }
  const bool by_ranks = ranks != nullptr && ranks->inferences > 0;
  if (by_ranks) suppose_of_ranks(roofline, *ranks, latency_s);
  for (const Bucket& group : analysis.groups) {
    if (counts_as_gemm(group.group, analysis.attention_is_gemm) || group.time_s <= 0) continue;
    if (by_ranks && group.group == Group::kCommunication) continue;
    const std::string title(info(group.group).title);
    if_so(title + " at its limit", group.time_s, limit_s[group.group]);
    if_so(title + " fused away", with_waits(group), 0.0);
  }
  return roofline;
}

}  // namespace nongemm
