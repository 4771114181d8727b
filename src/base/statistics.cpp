#include "base/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace nongemm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double quantile_of_sorted(std::span<const double> sorted, double fraction) {
  if (sorted.empty()) return kNaN;
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double weight = position - static_cast<double>(below);
  return sorted[below] * (1.0 - weight) + sorted[above] * weight;
}

std::vector<double> sorted_copy(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

double quantile(std::span<const double> samples, double fraction) {
  return quantile_of_sorted(sorted_copy(samples), fraction);
}

double mean(std::span<const double> samples) {
  if (samples.empty()) return kNaN;
  return std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
}

double paired_ratio(std::span<const double> a, std::span<const double> b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) ratios.push_back(a[i] / b[i]);
  return median(ratios);
}

Interval median_interval(std::span<const double> samples, double confidence) {
  if (samples.empty()) return {kNaN, kNaN};
  const std::vector<double> sorted = sorted_copy(samples);
  constexpr int kResamples = 2000;
  std::mt19937 random(20240601);
  const std::size_t n = sorted.size();
  std::vector<double> medians;
  medians.reserve(kResamples);
  std::vector<std::uint32_t> counts(n);
  for (int r = 0; r < kResamples; ++r) {
    // A resample is drawn as counts of sorted samples, so that its median needs no sort.
    std::fill(counts.begin(), counts.end(), 0);
    for (std::size_t i = 0; i < n; ++i) ++counts[static_cast<std::size_t>(random()) * n >> 32];
    const std::size_t lower_rank = (n - 1) / 2;
    const std::size_t upper_rank = n / 2;
    std::size_t seen = 0;
    double lower = sorted.back();
    double upper = sorted.back();
    bool lower_found = false;
    for (std::size_t i = 0; i < n; ++i) {
      seen += counts[i];
      if (!lower_found && seen > lower_rank) {
        lower = sorted[i];
        lower_found = true;
      }
      if (seen > upper_rank) {
        upper = sorted[i];
        break;
      }
    }
    medians.push_back((lower + upper) / 2.0);
  }
  std::sort(medians.begin(), medians.end());
  const double tail = (1.0 - confidence) / 2.0;
  return {quantile_of_sorted(medians, tail), quantile_of_sorted(medians, 1.0 - tail)};
}

Summary summarise(std::span<const double> samples) {
  const std::vector<double> sorted = sorted_copy(samples);
  Summary summary;
  summary.count = static_cast<std::int64_t>(sorted.size());
  summary.median = quantile_of_sorted(sorted, 0.5);
  summary.p10 = quantile_of_sorted(sorted, 0.1);
  summary.p90 = quantile_of_sorted(sorted, 0.9);
  summary.interval = median_interval(samples);
  return summary;
}

}  // namespace nongemm
