// Plans from recorded inferences: made-up ones, whose truth is known, and some of bert on an H200.
#include "profile/queue_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numeric>
#include <random>

#include "profile/made_up_device.h"
#include "profile/queue_check.h"
#include "profile/timeline_file.h"
#include "record/decomposition.h"
#include "test_paths.h"

namespace nongemm {
namespace {

std::vector<std::size_t> all_of(const QueueSources& sources) {
  std::vector<std::size_t> all(sources.recorded().size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

TEST(QueuePlan, FindsTheTruthOfAMadeUpDevice) {
  MadeUpDevice device(60, 4);
  std::vector<Trace> recorded;
  for (int i = 0; i < 10; ++i) recorded.push_back(device.recorded());
  const std::vector<Trace> attributed = {device.attributed(), device.attributed()};
  const QueueSources sources(attributed, recorded);
  ASSERT_EQ(sources.obstacle(), "");
  const QueueErrors errors = check_queue(sources, all_of(sources), device.times(), device.operators());
  EXPECT_LT(errors.start_ns, 50);
  EXPECT_LT(errors.gap_ns / errors.wall_ns, 0.002);

  const QueuePlan plan = plan_queue(sources, all_of(sources), device.times(), QueueCondition::kPlain);
  for (int i = 0; i < 5; ++i) {
    Trace truth = device.plain();
    const Trace built = run_queue(plan, truth, constants_of(device.times(), QueueCondition::kPlain));
    ASSERT_EQ(built.device.size(), truth.device.size());
    for (std::size_t k = 0; k < truth.device.size(); ++k) {
      EXPECT_NEAR(static_cast<double>(built.device[k].begin_ns), static_cast<double>(truth.device[k].begin_ns), 400)
          << k;
    }
    EXPECT_NEAR(static_cast<double>(built.end_ns), static_cast<double>(truth.end_ns), 400);
  }
}

TEST(QueuePlan, WhatCannotBeFollowedHasAnObstacle) {
  MadeUpDevice device(20, 4);
  const std::vector<Trace> attributed = {device.attributed()};
  const std::vector<Trace> recorded = {device.recorded(), device.recorded()};
  EXPECT_EQ(QueueSources(attributed, recorded).obstacle(), "");
  EXPECT_THAT(QueueSources(attributed, {}).obstacle(), testing::HasSubstr("differ in what they launch"));
  std::vector<Trace> others = recorded;
  for (Trace& trace : others) trace.device.pop_back();
  EXPECT_THAT(QueueSources(attributed, others).obstacle(), testing::HasSubstr("differ in what they launch"));
  others = recorded;
  for (Trace& trace : others) trace.names.assign(trace.names.size(), "another");
  EXPECT_THAT(QueueSources(attributed, others).obstacle(), testing::HasSubstr("differ in what they launch"));
  others = recorded;
  for (Trace& trace : others) trace.nodes.clear();
  EXPECT_THAT(QueueSources(attributed, others).obstacle(), testing::HasSubstr("no host spans"));
  std::vector<Trace> unknown = attributed;
  unknown[0].device[3].span = kNoId;
  EXPECT_THAT(QueueSources(unknown, recorded).obstacle(), testing::HasSubstr("not known what launches"));
}

TEST(QueuePlan, OneInferenceOfSeveralThatLaunchesMoreIsLeftOut) {
  MadeUpDevice device(20, 4);
  std::vector<Trace> recorded;
  for (int i = 0; i < 8; ++i) recorded.push_back(device.recorded());
  recorded[3].device.push_back(recorded[3].device.back());
  const std::vector<Trace> attributed = {device.attributed()};
  const QueueSources sources(attributed, recorded);
  EXPECT_EQ(sources.obstacle(), "");
  EXPECT_EQ(sources.recorded().size(), 7u);
}

/// As bench/queue_model.sh left it; the device's constants are those of that day.
class RecordedBert : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream in(std::string(NONGEMM_SOURCE_DIR) + "/src/profile/testdata/bert_h200.txt");
    ASSERT_TRUE(in);
    file_ = read_timelines(in);
  }

  TimelineFile file_;
  QueueTimes times_{.start_ns = 2300,
                    .switch_ns = 880,
                    .return_ns = 2450,
                    .wait_ns = 1500,
                    .recorded_start_ns = 1970,
                    .recorded_switch_ns = 990,
                    .recording_ns = 1750};
};

TEST_F(RecordedBert, KernelsBeginWhereTheyDid) {
  const QueueSources sources(file_.traces["attribution"], file_.traces["timing"]);
  ASSERT_EQ(sources.obstacle(), "");
  const QueueErrors errors = check_queue(sources, all_of(sources), times_, file_.operators.size());
  EXPECT_LT(errors.start_ns, 1000);
  EXPECT_LT(errors.gap_ns / errors.wall_ns, 0.02);
}

TEST_F(RecordedBert, PlainInferencesTakeAsLongAsTheyDid) {
  const QueueSources sources(file_.traces["attribution"], file_.traces["timing"]);
  const QueuePlan plan = plan_queue(sources, all_of(sources), times_, QueueCondition::kPlain);
  EXPECT_EQ(plan.waits.size(), 1u) << "is_nonzero of the mask";
  for (const Trace& host : file_.traces["host"]) {
    const Trace built = run_queue(plan, host, constants_of(times_, QueueCondition::kPlain));
    EXPECT_NEAR(static_cast<double>(built.end_ns) / static_cast<double>(host.end_ns), 1, 0.01);
    const Decomposition parts = decompose(built, file_.operators.size());
    EXPECT_EQ(parts.clipped_ns, 0);
    EXPECT_NEAR(parts.remainder_ns(), 0, 1e-6);
  }
}

}  // namespace
}  // namespace nongemm
