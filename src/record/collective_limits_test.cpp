// What a collective takes at sizes between those that were measured.
#include "record/collective_limits.h"

#include <gtest/gtest.h>

#include <cmath>

namespace nongemm {
namespace {

CollectiveLimits limits() {
  return {.ranks = 2, .devices = "two", .measured_at = "now", .curves = {{"all_reduce", {{1e3, 1e-5}, {1e5, 1e-3}}}}};
}

TEST(CollectiveLimits, BetweenTwoSizesALineInLogarithms) {
  EXPECT_NEAR(time_of_collective(limits(), "all_reduce", 1e4), 1e-4, 1e-12);
  EXPECT_DOUBLE_EQ(time_of_collective(limits(), "all_reduce", 1e3), 1e-5);
  EXPECT_DOUBLE_EQ(time_of_collective(limits(), "all_reduce", 1e5), 1e-3);
}

TEST(CollectiveLimits, NoneIsQuickerThanTheSmallest) {
  EXPECT_DOUBLE_EQ(time_of_collective(limits(), "all_reduce", 4), 1e-5);
  EXPECT_DOUBLE_EQ(time_of_collective(limits(), "all_reduce", 0), 1e-5);
}

TEST(CollectiveLimits, LargerOnesKeepTheRateOfTheLargest) {
  EXPECT_NEAR(time_of_collective(limits(), "all_reduce", 1e6), 1e-2, 1e-12);
}

TEST(CollectiveLimits, AreFoundByTheOperatorsFullName) {
  EXPECT_DOUBLE_EQ(time_of_collective(limits(), "_c10d_functional.all_reduce.default", 1e3), 1e-5);
  EXPECT_TRUE(std::isnan(time_of_collective(limits(), "_c10d_functional.all_to_all_single.default", 1e3)));
}

TEST(CollectiveLimits, EachRankSendsItsPartOfTheBytes) {
  EXPECT_DOUBLE_EQ(bus_bytes("all_reduce", 8, 4), 12);
  EXPECT_DOUBLE_EQ(bus_bytes("all_gather_into_tensor", 8, 4), 24);
  EXPECT_DOUBLE_EQ(bus_bytes("reduce_scatter_tensor", 8, 4), 6);
  EXPECT_DOUBLE_EQ(bus_bytes("all_to_all_single", 8, 4), 6);
}

}  // namespace
}  // namespace nongemm
