#include "base/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace nongemm {
namespace {

TEST(Statistics, QuantilesInterpolate) {
  const std::vector<double> samples = {4, 1, 3, 2};
  EXPECT_DOUBLE_EQ(median(samples), 2.5);
  EXPECT_DOUBLE_EQ(quantile(samples, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(samples, 1), 4);
  EXPECT_DOUBLE_EQ(quantile(samples, 0.1), 1.3);
  EXPECT_TRUE(std::isnan(median({})));
}

TEST(Statistics, APairedRatioDoesNotSeeDrift) {
  const std::vector<double> a = {1.1, 2.2, 4.4, 100.0};  // the machine halves its speed twice
  const std::vector<double> b = {1.0, 2.0, 4.0};
  EXPECT_NEAR(paired_ratio(a, b), 1.1, 1e-12);
  EXPECT_TRUE(std::isnan(paired_ratio(a, {})));
}

std::vector<double> shuffled(int count) {
  std::vector<double> samples;
  for (int i = 0; i < count; ++i) samples.push_back(1 + i * 37 % count);
  return samples;
}

TEST(Statistics, IntervalOfTheMedianIsThatOfTheTables) {
  // Ranks of the 95 % interval as printed (Conover, Practical Nonparametric Statistics; Hahn and Meeker, table A.15).
  EXPECT_EQ(median_interval(shuffled(6)).low, 1);
  EXPECT_EQ(median_interval(shuffled(6)).high, 6);
  EXPECT_EQ(median_interval(shuffled(8)).low, 1);
  EXPECT_EQ(median_interval(shuffled(9)).low, 2);
  EXPECT_EQ(median_interval(shuffled(10)).low, 2);
  EXPECT_EQ(median_interval(shuffled(10)).high, 9);
  EXPECT_EQ(median_interval(shuffled(20)).low, 6);
  EXPECT_EQ(median_interval(shuffled(20)).high, 15);
  EXPECT_EQ(median_interval(shuffled(50)).low, 18);
  EXPECT_EQ(median_interval(shuffled(50)).high, 33);
  EXPECT_EQ(median_interval(shuffled(100)).low, 40);
  EXPECT_EQ(median_interval(shuffled(100)).high, 61);
}

TEST(Statistics, FewSamplesHaveNoInterval) {
  EXPECT_TRUE(std::isnan(median_interval(shuffled(5)).low));
  EXPECT_TRUE(std::isnan(median_interval({}).high));
  EXPECT_EQ(median_interval(shuffled(5), 0.9).low, 1);  // 1 - 2 / 32 = 0.9375
}

TEST(Statistics, IntervalOfManySamplesIsThatOfTheNormalApproximation) {
  std::vector<double> samples(1'000'000);
  std::iota(samples.begin(), samples.end(), 0.0);
  const Interval interval = median_interval(samples);
  EXPECT_NEAR(interval.low, 500'000 - 1.96 * 500, 2);
  EXPECT_NEAR(interval.high, 500'000 + 1.96 * 500, 2);
}

TEST(Statistics, EqualSamplesHaveNoSpread) {
  const Summary summary = summarise(std::vector<double>(20, 7.0));
  EXPECT_EQ(summary.interval.low, 7.0);
  EXPECT_EQ(summary.interval.high, 7.0);
  EXPECT_EQ(summary.count, 20);
}

TEST(RunningMedian, IsThatOfAllSamples) {
  RunningMedian running;
  EXPECT_TRUE(std::isnan(running.value()));
  std::vector<double> samples;
  for (int i = 0; i < 500; ++i) {
    samples.push_back(i % 7 == 0 ? 1.0 : static_cast<double>(i * 7919 % 503) - 100);
    running.add(samples.back());
    ASSERT_EQ(running.count(), samples.size());
    ASSERT_DOUBLE_EQ(running.value(), median(samples));
  }
}

}  // namespace
}  // namespace nongemm
