#include "profile/windows.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "profile/attribution.h"
#include "record/decomposition.h"

namespace nongemm {
namespace {

/// Operator i launches 1 + i % 2 kernels, which take 5 and leave the device idle for 3 before them; some run on a
/// second stream, beside what follows.
Trace inference(std::uint32_t operators, std::int64_t begin) {
  Trace trace;
  trace.names = {"gemm", "add", "copy"};
  trace.begin_ns = begin;
  std::int64_t now = begin + 10;
  for (std::uint32_t i = 0; i < operators; ++i) {
    for (std::uint32_t k = 0; k <= i % 2; ++k) {
      DeviceRecord record;
      record.begin_ns = now + 3;
      record.end_ns = now + 8;
      record.name = i % 3;
      record.span = i;
      record.node = i / 2;  // a node may run more than once
      record.stream = i % 7 == 3 ? 8 : 7;
      trace.device.push_back(record);
      now += record.stream == 8 ? 4 : 8;
    }
  }
  trace.end_ns = now + 20;
  return trace;
}

/// What is left of an inference when a window is recorded: neither nodes nor spans, names as they come.
Trace recorded(const Trace& whole, const Window& window) {
  Trace part;
  part.begin_ns = whole.begin_ns;
  part.end_ns = whole.end_ns;
  part.names = {"copy", "gemm", "add"};
  for (DeviceRecord record : whole.device) {
    if (record.span < window.first || record.span > window.last) continue;
    record.name = (record.name + 1) % 3;
    record.span = kNoId;
    record.node = kNoId;
    part.device.push_back(record);
  }
  return part;
}

std::vector<Trace> parts_of(const WindowPlan& plan, std::uint32_t operators) {
  std::vector<Trace> parts;
  for (const Window& window : plan.windows()) {
    parts.push_back(recorded(inference(operators, static_cast<std::int64_t>(1000 * parts.size())), window));
  }
  return parts;
}

TEST(Windows, CoverTheInferenceAndShareOneOperator) {
  const WindowPlan plan(inference(200, 0), 8);
  const std::vector<Window>& windows = plan.windows();
  ASSERT_EQ(windows.size(), 8u);
  EXPECT_EQ(windows.front().first, 0u);
  EXPECT_EQ(windows.back().last, kNoId);
  for (std::size_t i = 1; i < windows.size(); ++i) {
    EXPECT_EQ(windows[i].first, windows[i - 1].last);
    EXPECT_NEAR(windows[i].first, 25.0 * static_cast<double>(i), 2);
  }
}

TEST(Windows, ShortInferencesHaveFewerAndOnesWithoutSpansOne) {
  EXPECT_EQ(WindowPlan(inference(30, 0), 8).windows().size(), 2u);  // 45 kernels
  EXPECT_EQ(WindowPlan(inference(4, 0), 8).windows().size(), 1u);
  EXPECT_EQ(WindowPlan(Trace(), 8).windows().size(), 1u);
  Trace unknown = inference(200, 0);
  unknown.device[7].span = kNoId;
  EXPECT_EQ(WindowPlan(unknown, 8).windows().size(), 1u);
}

TEST(Windows, AnOperatorThatLaunchesNearlyAllIsNotCut) {
  Trace trace = inference(200, 0);
  for (std::size_t i = 20; i < 280; ++i) trace.device[i].span = trace.device[20].span;
  const WindowPlan plan(trace, 8);
  EXPECT_LT(plan.windows().size(), 8u);
  for (std::size_t i = 1; i < plan.windows().size(); ++i) {
    EXPECT_GT(plan.windows()[i].first, plan.windows()[i - 1].first);
  }
}

TEST(Windows, PutTogetherTheyAreTheInference) {
  constexpr std::uint32_t kOperators = 200;
  const Trace whole = inference(kOperators, 0);
  const WindowPlan plan(whole, 8);
  std::vector<Trace> parts = parts_of(plan, kOperators);
  RecordMatch match;
  const std::optional<Trace> joined = plan.join(parts, match);
  ASSERT_TRUE(joined.has_value());
  EXPECT_TRUE(match.exact());
  ASSERT_EQ(joined->device.size(), whole.device.size());
  EXPECT_EQ(joined->begin_ns, whole.begin_ns);
  EXPECT_EQ(joined->end_ns, whole.end_ns);
  std::vector<DeviceRecord> records = joined->device;
  std::stable_sort(records.begin(), records.end(),
                   [](const DeviceRecord& a, const DeviceRecord& b) { return a.begin_ns < b.begin_ns; });
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].begin_ns, whole.device[i].begin_ns) << i;
    EXPECT_EQ(records[i].end_ns, whole.device[i].end_ns) << i;
    EXPECT_EQ(records[i].node, whole.device[i].node) << i;
    EXPECT_EQ(records[i].span, whole.device[i].span) << i;
    EXPECT_EQ(joined->names[records[i].name], whole.names[whole.device[i].name]) << i;
  }
  const Decomposition a = decompose(whole, kOperators);
  const Decomposition b = decompose(*joined, kOperators);
  EXPECT_EQ(a.head_ns, b.head_ns);
  EXPECT_EQ(a.tail_ns, b.tail_ns);
  for (std::size_t i = 0; i < kOperators; ++i) {
    EXPECT_EQ(a.nodes[i].device_ns, b.nodes[i].device_ns) << i;
    EXPECT_EQ(a.nodes[i].gap_ns, b.nodes[i].gap_ns) << i;
  }
}

TEST(Windows, WhatComesBeforeTheEndOfAJointDoesNotCount) {
  constexpr std::uint32_t kOperators = 102;
  const Trace whole = inference(kOperators, 0);
  const WindowPlan plan(whole, 2);
  ASSERT_EQ(plan.windows().size(), 2u);
  std::vector<Trace> parts = parts_of(plan, kOperators);
  // In the second part all begins 300 late, since recording was switched on, the joint's first kernel comes later and
  // takes longer still, and a kernel that nobody knows runs before it: none of that is the second part's to tell.
  for (DeviceRecord& record : parts[1].device) {
    record.begin_ns += 300;
    record.end_ns += 300;
  }
  ASSERT_EQ(plan.windows()[1].first % 2, 1u);  // so the joint has two kernels
  parts[1].device[0].begin_ns -= 250;
  parts[1].device[0].end_ns -= 2;
  parts[1].names.push_back("unknown");
  DeviceRecord stray = parts[1].device[0];
  stray.name = 3;
  stray.begin_ns -= 100;
  stray.end_ns = stray.begin_ns + 20;
  parts[1].device.insert(parts[1].device.begin(), stray);
  // What follows the joint is.
  parts[1].device.back().end_ns += 50;
  parts[1].end_ns += 350;
  RecordMatch match;
  const std::optional<Trace> joined = plan.join(parts, match);
  ASSERT_TRUE(joined.has_value());
  EXPECT_EQ(match.surplus, 1u);
  EXPECT_EQ(joined->end_ns, whole.end_ns + 50);
  EXPECT_EQ(joined->device.size(), whole.device.size());
  EXPECT_EQ(decompose(*joined, kOperators).kernel_ns(), decompose(whole, kOperators).kernel_ns() + 50);
  EXPECT_EQ(decompose(*joined, kOperators).gap_ns(), decompose(whole, kOperators).gap_ns());
}

TEST(Windows, ADeviceClockThatIsOffIsAligned) {
  const Trace whole = inference(100, 0);
  const WindowPlan plan(whole, 2);
  std::vector<Trace> parts = parts_of(plan, 100);
  for (DeviceRecord& record : parts[0].device) {  // the first kernel, begun before the inference
    record.begin_ns -= 40;
    record.end_ns -= 40;
  }
  for (DeviceRecord& record : parts[1].device) {  // the last, ended after it
    record.begin_ns += 40;
    record.end_ns += 40;
  }
  RecordMatch match;
  const std::optional<Trace> joined = plan.join(parts, match);
  ASSERT_TRUE(joined.has_value());
  const Decomposition parts_of_it = decompose(*joined, 100);
  EXPECT_EQ(parts_of_it.head_ns, 0);
  EXPECT_EQ(parts_of_it.tail_ns, 0);
  EXPECT_EQ(parts_of_it.clipped_ns, 0);
}

TEST(Windows, WithoutTheRecordOfAJointThereIsNothingToJoin) {
  const Trace whole = inference(100, 0);
  const WindowPlan plan(whole, 2);
  RecordMatch match;
  for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
    std::vector<Trace> parts = parts_of(plan, 100);
    std::vector<DeviceRecord>& records = parts[part].device;
    const std::uint32_t joint = plan.windows()[1].first;
    const std::size_t of_joint = 1 + joint % 2;
    if (part == 0) {
      records.resize(records.size() - of_joint);
    } else {
      records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(of_joint));
    }
    EXPECT_FALSE(plan.join(parts, match).has_value()) << part;
  }
  std::vector<Trace> nothing(2);
  EXPECT_FALSE(plan.join(nothing, match).has_value());
}

TEST(Windows, ForeignKernelsLowerTheMatchWhereverTheyAre) {
  const Trace whole = inference(100, 0);
  const WindowPlan plan(whole, 2);
  for (const std::size_t part : {std::size_t{0}, std::size_t{1}}) {
    std::vector<Trace> parts = parts_of(plan, 100);
    parts[part].names.push_back("another");
    parts[part].device[30].name = 3;
    RecordMatch match;
    const std::optional<Trace> joined = plan.join(parts, match);
    ASSERT_TRUE(joined.has_value());
    EXPECT_EQ(match.surplus, 1u) << part;
    EXPECT_EQ(match.missing, 1u) << part;
    EXPECT_LT(match.matched_time(), 1.0) << part;
    EXPECT_EQ(joined->device.size(), whole.device.size());
    EXPECT_GT(decompose(*joined, 100).unattributed.kernel_ns, 0);
  }
}

}  // namespace
}  // namespace nongemm
