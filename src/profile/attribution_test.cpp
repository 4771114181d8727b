#include "profile/attribution.h"

#include <gtest/gtest.h>

namespace nongemm {
namespace {

DeviceRecord kernel(std::int64_t begin, std::int64_t end, std::uint32_t name, NodeId node, std::uint32_t stream = 7) {
  DeviceRecord record;
  record.begin_ns = begin;
  record.end_ns = end;
  record.name = name;
  record.node = node;
  record.stream = stream;
  return record;
}

Trace trace_of(std::int64_t begin, std::int64_t end, std::vector<DeviceRecord> records) {
  Trace trace;
  trace.begin_ns = begin;
  trace.end_ns = end;
  trace.device = std::move(records);
  trace.names = {"gemm", "softmax", "add"};
  return trace;
}

TEST(Attribute, ByOrderAndName) {
  Trace reference = trace_of(0, 100, {kernel(1, 2, 0, 4), kernel(3, 4, 1, 5), kernel(5, 6, 0, 6)});
  reference.device[2].span = 12;
  Trace timing = trace_of(0, 50, {kernel(1, 2, 1, kNoId), kernel(3, 4, 0, kNoId), kernel(5, 6, 1, kNoId)});
  timing.names = {"softmax", "gemm"};  // other places, same names
  const RecordMatch match = attribute(reference, timing);
  EXPECT_TRUE(match.exact());
  EXPECT_EQ(match.matched, 3u);
  EXPECT_EQ(timing.device[0].node, 4u);
  EXPECT_EQ(timing.device[1].node, 5u);
  EXPECT_EQ(timing.device[2].node, 6u);
  EXPECT_EQ(timing.device[2].span, 12u);
}

TEST(Attribute, AMissingAndASurplusKernelDoNotShiftTheOthers) {
  const Trace reference = trace_of(
      0, 100, {kernel(1, 2, 0, 0), kernel(3, 4, 1, 1), kernel(5, 6, 2, 2), kernel(7, 8, 0, 3), kernel(9, 10, 1, 4)});
  // softmax of node 1 is missing, one more add before the last.
  Trace timing = trace_of(0, 100,
                          {kernel(1, 2, 0, kNoId), kernel(5, 6, 2, kNoId), kernel(7, 8, 0, kNoId), kernel(8, 9, 2, 7),
                           kernel(9, 12, 1, kNoId)});
  const RecordMatch match = attribute(reference, timing);
  EXPECT_EQ(match.matched, 4u);
  EXPECT_EQ(match.surplus, 1u);
  EXPECT_EQ(match.missing, 1u);
  EXPECT_FALSE(match.exact());
  EXPECT_DOUBLE_EQ(match.matched_time(), 6.0 / 7.0);
  EXPECT_EQ(timing.device[1].node, 2u);
  EXPECT_EQ(timing.device[2].node, 3u);
  EXPECT_EQ(timing.device[3].node, kNoId);
  EXPECT_EQ(timing.device[4].node, 4u);
}

TEST(Attribute, WhatIsMissingCountsLikeWhatIsTooMuch) {
  const Trace reference = trace_of(0, 100, {kernel(0, 10, 0, 0), kernel(10, 40, 1, 1), kernel(40, 50, 2, 2)});
  Trace timing = trace_of(0, 100, {kernel(0, 12, 0, kNoId), kernel(40, 50, 2, kNoId)});
  RecordMatch match = attribute(reference, timing);
  EXPECT_DOUBLE_EQ(match.matched_time(), 22.0 / 52.0);
  EXPECT_EQ(match.known_time(), 1.0);
  Trace whole = reference;
  match += attribute(reference, whole);
  EXPECT_DOUBLE_EQ(match.matched_time(), 72.0 / 102.0);
  EXPECT_EQ(match.matched, 5u);
  EXPECT_EQ(match.missing, 1u);
}

TEST(Attribute, StreamsAreComparedApart) {
  // The two streams interleave differently in the two passes.
  const Trace reference = trace_of(0, 100, {kernel(1, 5, 0, 0, 7), kernel(2, 3, 0, 1, 8), kernel(6, 7, 1, 2, 7)});
  Trace timing = trace_of(0, 100, {kernel(1, 2, 0, kNoId, 8), kernel(3, 5, 0, kNoId, 7), kernel(6, 7, 1, kNoId, 7)});
  EXPECT_TRUE(attribute(reference, timing).exact());
  EXPECT_EQ(timing.device[0].node, 1u);
  EXPECT_EQ(timing.device[1].node, 0u);
  EXPECT_EQ(timing.device[2].node, 2u);
}

TEST(Attribute, CopiesAreComparedByKindAndSize) {
  DeviceRecord copy = kernel(1, 2, kNoId, 3);
  copy.kind = DeviceRecord::Kind::kMemcpyDeviceToHost;
  copy.bytes = 8;
  const Trace reference = trace_of(0, 100, {copy});
  Trace same = trace_of(0, 100, {copy});
  EXPECT_TRUE(attribute(reference, same).exact());
  copy.bytes = 16;
  Trace other = trace_of(0, 100, {copy});
  const RecordMatch match = attribute(reference, other);
  EXPECT_EQ(match.matched, 0u);
  EXPECT_EQ(match.matched_time(), 0.0);
}

TEST(Attribute, EmptyTracesAndUnknownStreams) {
  const Trace reference = trace_of(0, 100, {kernel(1, 2, 0, 0)});
  Trace empty = trace_of(0, 100, {});
  EXPECT_EQ(attribute(reference, empty).missing, 1u);
  EXPECT_EQ(attribute(reference, empty).matched_time(), 0.0);
  Trace elsewhere = trace_of(0, 100, {kernel(1, 2, 0, kNoId, 9)});
  EXPECT_EQ(attribute(reference, elsewhere).surplus, 1u);
  EXPECT_TRUE(attribute(trace_of(0, 1, {}), empty).exact());
  EXPECT_EQ(attribute(trace_of(0, 1, {}), empty).matched_time(), 1.0);
}

TEST(Attribute, TracesOfDifferentProgramsAreGivenUp) {
  Trace reference = trace_of(0, 10'000, {});
  Trace timing = trace_of(0, 10'000, {});
  for (std::int64_t i = 0; i < 2000; ++i) {
    reference.device.push_back(kernel(i, i + 1, 0, 0));
    timing.device.push_back(kernel(i, i + 1, i < 3 ? 0 : 1, kNoId));
  }
  const RecordMatch match = attribute(reference, timing);
  EXPECT_EQ(match.matched, 3u);
  EXPECT_EQ(match.surplus, 1997u);
}

}  // namespace
}  // namespace nongemm
