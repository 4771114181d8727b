#include "base/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

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

/// Logarithm of the probability that `k` of `n` samples lie below the median.
double log_probability(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2.0);
}

/// The highest rank r, from 0, of which the samples r and n - 1 - r hold the median between them with this confidence:
/// the median lies outside when at most r samples are below it, or at most r above.
std::optional<std::size_t> interval_rank(std::size_t count, double confidence) {
  const auto n = static_cast<double>(count);
  constexpr double kBeyondDoubt = 10;  // standard deviations of the number of samples below the median: sqrt(n) / 2
  const double first = std::max(0.0, std::floor(n / 2 - kBeyondDoubt * std::sqrt(n) / 2));
  std::optional<std::size_t> rank;
  double below = 0;
  for (double r = first; 2 * r < n - 1; ++r) {
    below += std::exp(log_probability(n, r));
    if (1.0 - 2.0 * below < confidence) break;
    rank = static_cast<std::size_t>(r);
  }
  return rank;
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

void RunningMedian::add(double sample) {
  // As many below as above, or one more.
  if (below_.empty() || sample <= below_.top()) {
    below_.push(sample);
  } else {
    above_.push(sample);
  }
  if (below_.size() > above_.size() + 1) {
    above_.push(below_.top());
    below_.pop();
  } else if (above_.size() > below_.size()) {
    below_.push(above_.top());
    above_.pop();
  }
}

double RunningMedian::value() const {
  if (below_.empty()) return kNaN;
  return below_.size() > above_.size() ? below_.top() : 0.5 * below_.top() + 0.5 * above_.top();
}

Interval median_interval(std::span<const double> samples, double confidence) {
  const std::vector<double> sorted = sorted_copy(samples);
  const std::optional<std::size_t> rank = interval_rank(sorted.size(), confidence);
  if (!rank) return {kNaN, kNaN};
  return {sorted[*rank], sorted[sorted.size() - 1 - *rank]};
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
