#include "analysis/doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/statistics.h"

namespace nongemm {
namespace {

constexpr double kMostApart = 1.3;
constexpr std::size_t kFewIterations = 10;

/// The longer over the shorter.
double apart(const Analysis& analysis, const LatencyPass& plain) {
  if (plain.samples_s.empty() || !analysis.measured || !(analysis.wall_s > 0)) return 1;
  const double latency_s = median(plain.samples_s);
  return std::max(latency_s, analysis.wall_s) / std::min(latency_s, analysis.wall_s);
}

/// Share of the time in steps that nobody looked into: kernels would tell.
double unopened_share(const Analysis& analysis) {
  double inside = 0;
  double all = 0;
  for (const NodeRow& row : analysis.nodes) {
    all += row.time_s;
    if (row.opaque && std::isnan(row.kernels)) inside += row.time_s;
  }
  return all > 0 ? inside / all : 0;
}

}  // namespace

bool passes_agree(const Analysis& analysis, const LatencyPass& plain) { return apart(analysis, plain) <= kMostApart; }

std::string doubts_of(const Analysis& analysis, const LatencyPass& plain, const std::vector<std::string>& more) {
  std::string text;
  const std::size_t count = plain.samples_s.size();
  if (count > 0 && count < kFewIterations) {
    text = fmt::format("{} iteration{}: fewer than {} say little", count, count == 1 ? "" : "s", kFewIterations);
  }
  if (!passes_agree(analysis, plain)) {
    text += fmt::format(
        "{}node pass and plain latency differ {:.1f} times (cold inferences, a busy host): shares are of the former, "
        "what-if is left out",
        text.empty() ? "" : "; ", apart(analysis, plain));
  }
  constexpr double kMuch = 0.1;
  if (const double share = unopened_share(analysis); share > kMuch) {
    text +=
        fmt::format("{}{:.0f} % of the time is in steps that the runtime does not open: each counts as one operator",
                    text.empty() ? "" : "; ", 100 * share);
  }
  for (const std::string& caution : more) text += (text.empty() ? "" : "; ") + caution;
  return text;
}

}  // namespace nongemm
