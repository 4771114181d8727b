#include "base/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

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

TEST(Statistics, IntervalHoldsTheMedianAndIsRepeatable) {
  std::vector<double> samples;
  for (int i = 0; i < 101; ++i) samples.push_back(100 + (i * 37 % 101));
  const Interval interval = median_interval(samples);
  EXPECT_LE(interval.low, 150);
  EXPECT_GE(interval.high, 150);
  EXPECT_LT(interval.high - interval.low, 60);
  EXPECT_EQ(median_interval(samples).low, interval.low);
}

TEST(Statistics, EqualSamplesHaveNoSpread) {
  const Summary summary = summarise(std::vector<double>(20, 7.0));
  EXPECT_EQ(summary.interval.low, 7.0);
  EXPECT_EQ(summary.interval.high, 7.0);
  EXPECT_EQ(summary.count, 20);
}

}  // namespace
}  // namespace nongemm
