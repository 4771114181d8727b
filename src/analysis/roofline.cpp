#include "analysis/roofline.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace nongemm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double rate_of(const std::string& dtype, const DeviceLimits& limits) {
  if (dtype == "float16") return limits.fp16_rate.value_or(kNaN);
  if (dtype == "bfloat16") return limits.bf16_rate.value_or(kNaN);
  return limits.fp32_rate.value_or(kNaN);
}

}  // namespace

double time_at_limit(const NodeRow& node, const DeviceLimits& limits) {
  const double memory_s = node.cost.bytes() / limits.copy_bandwidth.value_or(kNaN);
  if (!counts_as_gemm(node.group)) return memory_s;  // vector units are never what a non-GEMM operator waits for here
  const double compute_s = node.cost.flops / rate_of(node.dtype, limits);
  return std::isnan(compute_s) ? memory_s : std::max(memory_s, compute_s);
}

Roofline make_roofline(const Analysis& analysis, double latency_s) {
  Roofline roofline;
  std::map<Group, double> limit_s;
  for (const NodeRow& node : analysis.nodes) {
    const double at_limit = node.limit_s * node.calls;
    // Small operands live in caches: an operator already faster than the limit stays as it is.
    limit_s[node.group] += std::min(at_limit, node.time_s);
  }
  const auto suppose = [&](const std::string& what, double now_s, double then_s) {
    if (std::isnan(then_s) || analysis.wall_s <= 0) return;
    const double scaled = latency_s * (1.0 - (now_s - then_s) / analysis.wall_s);
    roofline.what_if.push_back({what, now_s, then_s, scaled, scaled > 0 ? latency_s / scaled : kNaN});
  };
  double nongemm_limit = 0;
  for (const Bucket& group : analysis.groups) {
    roofline.group_limit_s.push_back(limit_s[group.group]);
    if (!counts_as_gemm(group.group)) nongemm_limit += limit_s[group.group];
  }
  suppose("all non-GEMM at its limit", analysis.nongemm_s, nongemm_limit);
  suppose("all non-GEMM fused away", analysis.nongemm_s, 0.0);
  if (analysis.on_device) {
    suppose("all launches free", analysis.gap_s + analysis.head_s + analysis.tail_s, 0.0);
  } else {
    suppose("executor free", analysis.outside_s, 0.0);
  }
  for (const Bucket& group : analysis.groups) {
    if (counts_as_gemm(group.group) || group.time_s <= 0) continue;
    const std::string title(info(group.group).title);
    suppose(title + " at its limit", group.time_s, limit_s[group.group]);
    suppose(title + " fused away", group.time_s + group.gap_s, 0.0);
  }
  return roofline;
}

}  // namespace nongemm
