#include "programs/ort/launches.h"

#include <gtest/gtest.h>

namespace nongemm::ort_flow {
namespace {

DeviceRecord launched(std::int64_t time) {
  DeviceRecord record;
  record.launch_ns = time;
  return record;
}

/// Nodes of 8 us with 4 us between them, each launching two kernels.
Trace regular_trace(std::int64_t start) {
  Trace trace;
  std::int64_t time = 5000;
  for (NodeId node = 0; node < 200; ++node) {
    const std::int64_t length = 8000 + 1000 * (node % 3);
    trace.nodes.push_back({node, time, time + length});
    trace.device.push_back(launched(start + time + 2500));
    trace.device.push_back(launched(start + time + 5500));
    time += length + 4000;
  }
  return trace;
}

TEST(Launches, FindsTheStartOfTheProfile) {
  constexpr std::int64_t kCalled = 1'000'000'000;
  for (const std::int64_t delay : {0, 3'300, 47'000, 400'000}) {
    const Trace trace = regular_trace(kCalled + delay);
    const std::int64_t start = profile_start(trace.nodes, trace.device, kCalled, 1'000'000);
    EXPECT_NEAR(static_cast<double>(start), static_cast<double>(kCalled + delay), 2500) << delay;
  }
}

TEST(Launches, EachBelongsToTheNodeThatWasOpen) {
  Trace trace = regular_trace(0);
  trace.device.push_back(launched(100));                           // before the first node
  trace.device.push_back(launched(trace.nodes[3].end_ns + 1500));  // after a node ended: still its work
  trace.device.emplace_back();                                     // a launch that was not recorded
  trace.synchronisations.push_back({trace.nodes[5].begin_ns + 100, trace.nodes[5].end_ns, kNoId});
  assign_launches(trace);
  for (std::size_t i = 0; i < 400; ++i) EXPECT_EQ(trace.device[i].node, i / 2);
  EXPECT_EQ(trace.device[400].node, kNoId);
  EXPECT_EQ(trace.device[401].node, 3);
  EXPECT_EQ(trace.device[402].node, kNoId);
  EXPECT_EQ(trace.synchronisations[0].node, 5);
}

}  // namespace
}  // namespace nongemm::ort_flow
