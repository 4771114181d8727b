#include "record/kernel_sums.h"

#include <gmock/gmock.h>

namespace nongemm {
namespace {

DeviceRecord record(std::int64_t begin, std::int64_t end, std::uint32_t name, NodeId node) {
  DeviceRecord result;
  result.begin_ns = begin;
  result.end_ns = end;
  result.name = name;
  result.node = node;
  return result;
}

TEST(KernelSums, MeansByNodeAndName) {
  Trace trace;
  trace.names = {"a", "b"};
  trace.device = {record(0, 10, 0, 1), record(10, 30, 0, 1), record(30, 100, 1, 2), record(100, 101, 1, 1)};
  trace.device.push_back(record(200, 204, kNoId, 2));
  trace.device.back().kind = DeviceRecord::Kind::kMemset;
  KernelSums sums;
  sums.add(trace);
  trace.device.resize(2);
  sums.add(trace);
  const std::vector<KernelSum> means = sums.mean();
  ASSERT_EQ(means.size(), 4U);
  EXPECT_EQ(means[0].name, "b");
  EXPECT_EQ(means[0].node, 2U);
  EXPECT_DOUBLE_EQ(means[0].device_s, 35e-9);
  EXPECT_EQ(means[1].name, "a");
  EXPECT_DOUBLE_EQ(means[1].device_s, 30e-9);
  EXPECT_DOUBLE_EQ(means[1].launches, 2);
  EXPECT_EQ(means[2].name, "memset");
}

}  // namespace
}  // namespace nongemm
