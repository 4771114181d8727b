// Robust statistics of timing samples.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace nongemm {

/// Linear interpolation between order statistics; `fraction` in [0, 1]. NaN for no samples.
double quantile(std::span<const double> samples, double fraction);
inline double median(std::span<const double> samples) { return quantile(samples, 0.5); }
double mean(std::span<const double> samples);
/// Median of a[i] / b[i], of samples that were taken in turns: a machine whose speed drifts slows both of a pair alike.
/// What one has more of than the other is left out; NaN for no pair.
double paired_ratio(std::span<const double> a, std::span<const double> b);

struct Interval {
  double low = 0;
  double high = 0;
};

/// Percentile-bootstrap confidence interval of the median (2000 resamples, fixed seed, so that a report can be made
/// again from its raw samples and shows the same interval).
Interval median_interval(std::span<const double> samples, double confidence = 0.95);

struct Summary {
  std::int64_t count = 0;
  double median = 0, p10 = 0, p90 = 0;
  Interval interval;
};
/// All fields NaN but count for no samples.
Summary summarise(std::span<const double> samples);

}  // namespace nongemm
