#include "studies/evidence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "studies/made_runs.h"

namespace nongemm {
namespace {

using made::Group;

/// Device 2 + 1 + 1 ms, waits 1 + 3 + 0, host 1 + 2 + 1, of 10 ms of wall time.
Document on_device() {
  return {{},
          {made::run("gpt2",
                     {{"gemm", 2e-3, 1e-3, 1e-3}, {"activation", 1e-3, 3e-3, 2e-3}, {"memory-movement", 1e-3, 0, 1e-3}},
                     {.wall = 10e-3})}};
}

TEST(Evidence, CountsASharesThreeWays) {
  const Document document = on_device();
  const Evidence evidence(document);
  const ThreeShares shares = nongemm_shares(evidence.runs().front());
  EXPECT_DOUBLE_EQ(shares.device, 2.0 / 4.0);
  EXPECT_DOUBLE_EQ(shares.charged, 5.0 / 10.0);
  EXPECT_DOUBLE_EQ(shares.published, 5.0 / 8.0);
}

TEST(Evidence, AHostHasOneTimeAndNoWaits) {
  const Document document{
      {}, {made::run("gpt2", {{"gemm", 6e-3}, {"activation", 2e-3}}, {.device = "cpu", .wall = 10e-3})}};
  const Evidence evidence(document);
  const ThreeShares shares = nongemm_shares(evidence.runs().front());
  EXPECT_DOUBLE_EQ(shares.device, 0.25);
  EXPECT_DOUBLE_EQ(shares.charged, 0.2);
  EXPECT_DOUBLE_EQ(shares.published, 0.25);
  EXPECT_EQ(evidence.torch("gpt2", true)->model, "gpt2");
  EXPECT_EQ(evidence.torch("gpt2", false), nullptr);
}

TEST(Evidence, APublishedShareNeedsHostTimes) {
  const Document document{{}, {made::run("gpt2", {{"gemm", 6e-3}, {"activation", 2e-3}}, {.flow = "ort"})}};
  const Evidence evidence(document);
  const ThreeShares shares = nongemm_shares(evidence.runs().front());
  EXPECT_TRUE(std::isnan(shares.published));
  EXPECT_EQ(compared(shares), shares.charged);
}

TEST(Evidence, ThePublishedToolHasDeviceTimesOfTensorRtAlone) {
  const Document document{
      {}, {made::run("gpt2", {{"gemm", 6e-3, 0, 1e-3}, {"activation", 2e-3, 0, 8e-3}}, {.flow = "tensorrt"})}};
  const Evidence evidence(document);
  EXPECT_DOUBLE_EQ(nongemm_shares(evidence.runs().front()).published, 0.25);
}

TEST(Evidence, AttentionCountsWithGemmAndMemoryIsOneGroup) {
  const Document document{{},
                          {made::run("swin-t", {{"gemm", 1, 0, 1},
                                                {"attention", 1, 0, 1},
                                                {"normalization", 1.5, 0, 1},
                                                {"memory-layout", 1, 0, 1},
                                                {"memory-movement", 1, 0, 1}})}};
  const Evidence evidence(document);
  const nongemm::Run& run = evidence.runs().front();
  EXPECT_DOUBLE_EQ(nongemm_shares(run).device, 3.5 / 5.5);
  const NamedShare most = dominant(run, &ThreeShares::device);
  EXPECT_EQ(most.name, "Memory");
  EXPECT_DOUBLE_EQ(most.share, 2.0 / 5.5);
  EXPECT_EQ(run.task, "Image Classification");
}

TEST(Evidence, ARunThatFailedSaysWhy) {
  const Document document{{}, {made::failed("gpt2", "no such device")}};
  const Evidence evidence(document);
  EXPECT_FALSE(evidence.runs().front().measured);
  EXPECT_EQ(why_not(&evidence.runs().front()), "unsupported: no such device");
  EXPECT_EQ(why_not(nullptr), "not among the runs");
  EXPECT_TRUE(std::isnan(nongemm_shares(evidence.runs().front()).device));
}

TEST(Evidence, MeansAreMissingWhereOneIsMissing) {
  const ThreeShares mean = mean_of({{0.2, 0.4, kNotMeasured}, {0.4, 0.6, 0.5}});
  EXPECT_DOUBLE_EQ(mean.device, 0.3);
  EXPECT_DOUBLE_EQ(mean.charged, 0.5);
  EXPECT_TRUE(std::isnan(mean.published));
}

}  // namespace
}  // namespace nongemm
