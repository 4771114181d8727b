#include "record/timeline.h"

#include <gtest/gtest.h>

namespace nongemm {
namespace {

DeviceRecord kernel(NodeId node, std::int64_t begin, std::int64_t end, std::int64_t launch) {
  DeviceRecord record;
  record.node = node;
  record.begin_ns = begin;
  record.end_ns = end;
  record.launch_ns = launch;
  record.name = 0;
  return record;
}

TEST(Timeline, GapsOfADeviceAreChargedToWhatComesAfterThem) {
  Trace trace{1000, 2000, {{0, 1010, 1050}, {1, 1060, 1100}}, {}, {}, {{1900, 1990, 1}}, {"gemm"}};
  trace.device = {kernel(1, 1400, 1500, 1070), kernel(0, 1100, 1200, 0), kernel(1, 1450, 1700, 1080)};
  const Timeline timeline = timeline_of(trace, 10);
  EXPECT_EQ(timeline.wall_ns, 1000);
  EXPECT_EQ(timeline.head_ns, 100);
  EXPECT_EQ(timeline.tail_ns, 300);
  ASSERT_EQ(timeline.device.size(), 3U);
  EXPECT_EQ(timeline.device[0].node, 0U);
  EXPECT_EQ(timeline.device[0].gap_ns, 0);
  EXPECT_EQ(timeline.device[0].launch_ns, -1);
  EXPECT_EQ(timeline.device[1].begin_ns, 400);
  EXPECT_EQ(timeline.device[1].duration_ns, 100);
  EXPECT_EQ(timeline.device[1].gap_ns, 200);
  EXPECT_EQ(timeline.device[1].launch_ns, 70);
  EXPECT_EQ(timeline.device[1].name, "gemm");
  EXPECT_EQ(timeline.device[2].gap_ns, 0);
  ASSERT_EQ(timeline.calls.size(), 2U);
  EXPECT_EQ(timeline.calls[1].gap_ns, 0);  // the device is what waits
  ASSERT_EQ(timeline.waits.size(), 1U);
  EXPECT_EQ(timeline.waits[0].duration_ns, 90);
  EXPECT_EQ(timeline.left_out, 0U);
}

TEST(Timeline, OfAHostGapsLieBetweenCalls) {
  const Trace trace{0, 100, {{0, 10, 30}, {1, 15, 20}, {2, 45, 90}}, {}, {}, {}, {}};
  const Timeline timeline = timeline_of(trace, 2);
  EXPECT_EQ(timeline.head_ns, 10);
  EXPECT_EQ(timeline.tail_ns, 10);
  ASSERT_EQ(timeline.calls.size(), 2U);
  EXPECT_EQ(timeline.calls[1].gap_ns, 0);  // inside the first
  EXPECT_EQ(timeline.left_out, 1U);
  EXPECT_EQ(timeline_of(trace, 3).calls[2].gap_ns, 15);
}

}  // namespace
}  // namespace nongemm
