#include "profile/host_speeds.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace nongemm {
namespace {

/// Fewer samples than this, or than this share of all, are no speed.
constexpr std::size_t kLeastSamples = 3;
constexpr double kLeastShare = 0.1;
/// Speeds that are closer to one another are one.
constexpr double kLeastRatio = 1.15;
/// Of the samples' variance, what two groups have to explain: two halves of one even spread explain three quarters.
constexpr double kLeastExplained = 0.8;

}  // namespace

std::vector<std::vector<std::size_t>> host_speeds(std::span<const double> wall_s) {
  std::vector<std::size_t> order(wall_s.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::vector<std::size_t>> one{order};
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wall_s[a] < wall_s[b]; });
  const double count = static_cast<double>(order.size());
  const double mean = std::accumulate(wall_s.begin(), wall_s.end(), 0.0) / std::max(1.0, count);
  double variance = 0;
  for (const double wall : wall_s) variance += (wall - mean) * (wall - mean);
  const auto least = std::max(kLeastSamples, static_cast<std::size_t>(std::ceil(kLeastShare * count)));
  std::size_t best = 0;
  double most = 0;
  double below = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    below += wall_s[order[i - 1]];
    if (i < least || order.size() - i < least) continue;
    const double fast = below / static_cast<double>(i);
    const double slow = (mean * count - below) / (count - static_cast<double>(i));
    const double between =
        static_cast<double>(i) * (count - static_cast<double>(i)) / count * (slow - fast) * (slow - fast);
    if (between <= most || slow < kLeastRatio * fast) continue;
    most = between;
    best = i;
  }
  if (best == 0 || most < kLeastExplained * variance) return one;
  std::vector<std::vector<std::size_t>> two(2);
  two[0].assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(best));
  two[1].assign(order.begin() + static_cast<std::ptrdiff_t>(best), order.end());
  for (std::vector<std::size_t>& group : two) std::sort(group.begin(), group.end());
  if (two[1].size() > two[0].size()) std::swap(two[0], two[1]);
  return two;
}

}  // namespace nongemm
