#include "profile/host_speeds.h"

#include <gtest/gtest.h>

#include <random>

namespace nongemm {
namespace {

TEST(HostSpeeds, TwoAreToldApartAndTheMoreFrequentIsFirst) {
  const std::vector<double> walls = {4.2, 2.9, 3.0, 4.1, 2.95, 3.05, 4.3, 3.0};
  const auto speeds = host_speeds(walls);
  ASSERT_EQ(speeds.size(), 2u);
  EXPECT_EQ(speeds[0], (std::vector<std::size_t>{1, 2, 4, 5, 7}));
  EXPECT_EQ(speeds[1], (std::vector<std::size_t>{0, 3, 6}));
}

TEST(HostSpeeds, OneSpeedWithNoiseAndAFewDisturbedOnesIsOne) {
  std::mt19937 random(1);
  std::normal_distribution<double> noise(3.0, 0.1);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> walls;
    for (int i = 0; i < 60; ++i) walls.push_back(noise(random));
    EXPECT_EQ(host_speeds(walls).size(), 1u);
    walls.push_back(9);
    walls.push_back(12);
    EXPECT_EQ(host_speeds(walls).size(), 1u);
  }
}

TEST(HostSpeeds, AnEvenSpreadIsNoTwoSpeeds) {
  std::vector<double> walls;
  for (int i = 0; i < 40; ++i) walls.push_back(3.0 + 0.05 * i);
  EXPECT_EQ(host_speeds(walls).size(), 1u);
}

TEST(HostSpeeds, FewSamplesAreOne) {
  EXPECT_EQ(host_speeds(std::vector<double>{}).size(), 1u);
  EXPECT_EQ(host_speeds(std::vector<double>{3}).size(), 1u);
  EXPECT_EQ(host_speeds(std::vector<double>{3, 3, 6, 6}).size(), 1u);
}

}  // namespace
}  // namespace nongemm
