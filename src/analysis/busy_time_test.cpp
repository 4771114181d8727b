#include "analysis/busy_time.h"

#include <gtest/gtest.h>

namespace nongemm {
namespace {

DeviceRecord between(std::int64_t begin_ns, std::int64_t end_ns) {
  DeviceRecord record;
  record.begin_ns = begin_ns;
  record.end_ns = end_ns;
  return record;
}

TEST(BusyTime, IsTheUnionToTheNanosecond) {
  // Two that overlap by 1 ns, one inside of another, a gap of 5 ns; out of order, at times where doubles of
  // microseconds would round to whole nanoseconds.
  constexpr std::int64_t kBoot = 4'466'471'334'858'618;
  const std::vector<DeviceRecord> device = {between(kBoot + 1015, kBoot + 1025), between(kBoot, kBoot + 1000),
                                            between(kBoot + 999, kBoot + 1010), between(kBoot + 10, kBoot + 20)};
  const BusyTime time = busy_time(device);
  EXPECT_EQ(time.busy_ns, 1010 + 10);
  EXPECT_EQ(time.first_ns, kBoot);
  EXPECT_EQ(time.last_ns, kBoot + 1025);
  EXPECT_EQ(time.gap_before_ns, (std::vector<std::int64_t>{5, 0, 0, 0}));
  EXPECT_EQ(time.charged_ns, (std::vector<std::int64_t>{10, 1000, 10, 0}));  // each nanosecond once
  EXPECT_EQ(busy_time({}).busy_ns, 0);
}

}  // namespace
}  // namespace nongemm
