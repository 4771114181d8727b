// Robust statistics of timing samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
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

/// The median of samples that come one by one, each in logarithmic time.
class RunningMedian {
 public:
  void add(double sample);
  std::size_t count() const { return below_.size() + above_.size(); }
  /// NaN for no samples.
  double value() const;

 private:
  std::priority_queue<double> below_;                                             // its top is the largest
  std::priority_queue<double, std::vector<double>, std::greater<double>> above_;  // its top is the smallest
};

struct Interval {
  double low = 0;
  double high = 0;
};

/// Two of the samples that hold the median between them with at least this confidence, whatever the distribution:
/// exact, from the binomial distribution of how many samples lie below it. NaN where so few samples (five and less at
/// 95 %) cannot tell.
Interval median_interval(std::span<const double> samples, double confidence = 0.95);

struct Summary {
  std::int64_t count = 0;
  double median = 0, p10 = 0, p90 = 0;
  Interval interval;
};
/// All fields NaN but count for no samples.
Summary summarise(std::span<const double> samples);

}  // namespace nongemm
