#include "profile/stopping.h"

#include <fmt/format.h>

#include <numeric>

#include "base/statistics.h"

namespace nongemm {
namespace {

class CountRule : public StoppingRule {
 public:
  explicit CountRule(int count) : count_(count) {}
  bool enough(std::span<const double> samples) override { return samples.size() >= static_cast<std::size_t>(count_); }
  std::string description() const override { return fmt::format("{} iterations", count_); }

 private:
  int count_;
};

class MedianIntervalRule : public StoppingRule {
 public:
  explicit MedianIntervalRule(IntervalRule rule) : rule_(rule) {}

  bool enough(std::span<const double> samples) override {
    const std::size_t n = samples.size();
    const double total = std::accumulate(samples.begin(), samples.end(), 0.0);
    constexpr std::size_t kLeastForSpread = 3;
    if (n >= kLeastForSpread && total >= rule_.most_seconds) return true;
    if (n >= static_cast<std::size_t>(rule_.most)) return true;
    if (n < static_cast<std::size_t>(rule_.least) || n < next_check_) return false;
    next_check_ = n + std::max<std::size_t>(1, n / 4);  // the bootstrap is not free
    const Interval interval = median_interval(samples);
    return interval.high - interval.low <= rule_.relative_width * median(samples);
  }

  std::string description() const override {
    return fmt::format("95 % interval of the median within {:g} %, {} to {} iterations, at most {:g} s",
                       rule_.relative_width * 100, rule_.least, rule_.most, rule_.most_seconds);
  }

 private:
  IntervalRule rule_;
  std::size_t next_check_ = 0;
};

}  // namespace

std::unique_ptr<StoppingRule> stop_after(int count) { return std::make_unique<CountRule>(count); }

std::unique_ptr<StoppingRule> stop_at_interval(IntervalRule rule) { return std::make_unique<MedianIntervalRule>(rule); }

}  // namespace nongemm
