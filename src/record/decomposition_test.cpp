#include "record/decomposition.h"

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

double sum_of_parts(const Decomposition& parts) {
  return parts.head_ns + parts.device_ns() + parts.gap_ns() + parts.tail_ns;
}

TEST(Decompose, PartsAddUpToTheWallTime) {
  const Trace trace =
      trace_of(1000, 2000, {kernel(1100, 1200, 0, 0), kernel(1250, 1400, 1, 1), kernel(1400, 1500, 2, 0)});
  const Decomposition parts = decompose(trace, 2);
  EXPECT_EQ(parts.head_ns, 100);
  EXPECT_EQ(parts.tail_ns, 500);
  EXPECT_EQ(parts.nodes[0].device_ns, 200);
  EXPECT_EQ(parts.nodes[0].gap_ns, 0);
  EXPECT_EQ(parts.nodes[0].records, 2);
  EXPECT_EQ(parts.nodes[1].device_ns, 150);
  EXPECT_EQ(parts.nodes[1].gap_ns, 50);
  EXPECT_EQ(parts.wall_ns, 1000);
  EXPECT_EQ(sum_of_parts(parts), parts.wall_ns);
  EXPECT_EQ(parts.remainder_ns(), 0);
  EXPECT_EQ(parts.attributed_share(), 1.0);
}

TEST(Decompose, OverlapOfTwoStreamsCountsOnce) {
  // Node 1 runs wholly within node 0, node 2 begins within and ends after it.
  const Trace trace = trace_of(0, 100, {kernel(10, 60, 0, 0), kernel(20, 40, 1, 1, 8), kernel(50, 80, 2, 2, 8)});
  const Decomposition parts = decompose(trace, 3);
  EXPECT_EQ(parts.nodes[0].device_ns, 50);
  EXPECT_EQ(parts.nodes[1].device_ns, 0);
  EXPECT_EQ(parts.nodes[1].kernel_ns, 20);
  EXPECT_EQ(parts.nodes[2].device_ns, 20);
  EXPECT_EQ(parts.nodes[2].kernel_ns, 30);
  EXPECT_EQ(parts.gap_ns(), 0);
  EXPECT_EQ(parts.kernel_ns(), 100);
  EXPECT_EQ(sum_of_parts(parts), 100);
}

TEST(Decompose, RecordsMayComeInAnyOrder) {
  const Trace trace = trace_of(0, 100, {kernel(50, 80, 2, 1), kernel(10, 40, 0, 0)});
  const Decomposition parts = decompose(trace, 2);
  EXPECT_EQ(parts.head_ns, 10);
  EXPECT_EQ(parts.nodes[1].gap_ns, 10);
  EXPECT_EQ(sum_of_parts(parts), 100);
}

TEST(Decompose, RecordsWithoutANodeAreShown) {
  const Trace trace = trace_of(0, 100, {kernel(0, 30, 0, 0), kernel(40, 50, 1, kNoId), kernel(60, 70, 1, 99)});
  const Decomposition parts = decompose(trace, 1);
  EXPECT_EQ(parts.unattributed.device_ns, 20);
  EXPECT_EQ(parts.unattributed.gap_ns, 20);
  EXPECT_DOUBLE_EQ(parts.attributed_share(), 0.6);
  EXPECT_EQ(sum_of_parts(parts), 100);
}

TEST(Decompose, NothingOnTheDevice) {
  const Decomposition parts = decompose(trace_of(5, 25, {}), 3);
  EXPECT_EQ(parts.tail_ns, 20);
  EXPECT_EQ(parts.head_ns, 0);
  EXPECT_EQ(sum_of_parts(parts), 20);
  EXPECT_EQ(parts.attributed_share(), 1.0);
}

TEST(Decompose, WhatLiesOutsideTheWindowIsClipped) {
  const Trace trace = trace_of(100, 200, {kernel(90, 110, 0, 0), kernel(190, 230, 1, 0), kernel(240, 250, 1, 0)});
  const Decomposition parts = decompose(trace, 1);
  EXPECT_EQ(parts.nodes[0].device_ns, 20);
  EXPECT_EQ(parts.clipped_ns, 50);
  EXPECT_EQ(parts.tail_ns, 0);
  EXPECT_EQ(sum_of_parts(parts), 100);
}

TEST(AlignToWindow, ShiftsALateClock) {
  Trace trace = trace_of(100, 200, {kernel(130, 150, 0, 0), kernel(160, 206, 1, 0)});
  EXPECT_EQ(align_to_window(trace), -6);
  EXPECT_EQ(trace.device[0].begin_ns, 124);
  EXPECT_EQ(trace.device[1].end_ns, 200);
}

TEST(AlignToWindow, ShiftsAnEarlyClock) {
  Trace trace = trace_of(100, 200, {kernel(98, 150, 0, 0), kernel(160, 170, 1, 0)});
  EXPECT_EQ(align_to_window(trace), 2);
  EXPECT_EQ(trace.device[0].begin_ns, 100);
}

TEST(AlignToWindow, LeavesWhatFitsOrNeverWill) {
  Trace fits = trace_of(100, 200, {kernel(110, 150, 0, 0)});
  EXPECT_EQ(align_to_window(fits), 0);
  Trace longer = trace_of(100, 200, {kernel(90, 250, 0, 0)});
  EXPECT_EQ(align_to_window(longer), 0);
  EXPECT_EQ(longer.device[0].begin_ns, 90);
  Trace empty = trace_of(100, 200, {});
  EXPECT_EQ(align_to_window(empty), 0);
}

TEST(MeanOf, PartsStillAddUp) {
  const std::vector<Decomposition> parts = {
      decompose(trace_of(0, 100, {kernel(10, 40, 0, 0), kernel(50, 60, 1, 1)}), 2),
      decompose(trace_of(0, 200, {kernel(20, 60, 0, 0), kernel(70, 80, 1, 1)}), 2)};
  const Decomposition mean = mean_of(parts);
  EXPECT_DOUBLE_EQ(mean.wall_ns, 150);
  EXPECT_DOUBLE_EQ(mean.nodes[0].device_ns, 35);
  EXPECT_DOUBLE_EQ(mean.remainder_ns(), 0);
  EXPECT_EQ(mean_of({}).wall_ns, 0);
}

TEST(WithoutOverhead, IdleTimeShrinksAndKernelsStay) {
  const Decomposition measured = decompose(trace_of(0, 100, {kernel(20, 40, 0, 0), kernel(60, 80, 1, 1)}), 2);
  const Decomposition plain = without_overhead(measured, 70);
  EXPECT_DOUBLE_EQ(plain.device_ns(), 40);
  EXPECT_DOUBLE_EQ(plain.head_ns, 10);
  EXPECT_DOUBLE_EQ(plain.nodes[1].gap_ns, 10);
  EXPECT_DOUBLE_EQ(plain.remainder_ns(), 0);
  const Decomposition impossible = without_overhead(measured, 30);
  EXPECT_DOUBLE_EQ(impossible.gap_ns(), 0);
  EXPECT_DOUBLE_EQ(impossible.remainder_ns(), -10);
}

TEST(HostTime, SumsSpansAndWaitsByNode) {
  Trace trace;
  trace.nodes = {{0, 10, 15}, {1, 20, 40}, {0, 50, 51}};
  trace.synchronisations = {{25, 35, 1}, {60, 70, kNoId}};
  EXPECT_EQ(host_time(trace, 2), (std::vector<double>{6, 20}));
  EXPECT_EQ(wait_time(trace, 2), (std::vector<double>{0, 10}));
}

}  // namespace
}  // namespace nongemm
