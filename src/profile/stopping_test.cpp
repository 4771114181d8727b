#include "profile/stopping.h"

#include <gtest/gtest.h>

namespace nongemm {
namespace {

TEST(StoppingRule, CountsExactly) {
  const auto rule = stop_after(3);
  EXPECT_FALSE(rule->enough(std::vector<double>(2, 1.0)));
  EXPECT_TRUE(rule->enough(std::vector<double>(3, 1.0)));
}

TEST(StoppingRule, StopsWhenTheMedianIsKnown) {
  const auto rule = stop_at_interval({});
  EXPECT_FALSE(rule->enough(std::vector<double>(9, 0.01)));
  EXPECT_TRUE(rule->enough(std::vector<double>(10, 0.01)));
}

TEST(StoppingRule, GoesOnWhileSamplesSpreadUntilTheLimit) {
  const auto spread = [](int n) {
    std::vector<double> samples;
    for (int i = 0; i < n; ++i) samples.push_back(i % 2 == 0 ? 0.001 : 0.002);
    return samples;
  };
  const auto rule = stop_at_interval({.relative_width = 0.02, .least = 10, .most = 50, .most_seconds = 10});
  EXPECT_FALSE(rule->enough(spread(10)));
  EXPECT_TRUE(rule->enough(spread(50)));
  const auto slow = stop_at_interval({.relative_width = 0.0, .least = 10, .most = 50, .most_seconds = 0.004});
  EXPECT_FALSE(slow->enough(spread(2)));
  EXPECT_TRUE(slow->enough(spread(3)));
}

}  // namespace
}  // namespace nongemm
