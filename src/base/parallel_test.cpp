#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace nongemm {
namespace {

TEST(ParallelFor, DoesEveryTaskOnce) {
  for (int threads : {0, 1, 3, 16}) {
    std::vector<std::atomic<int>> done(1000);
    parallel_for(done.size(), threads, [&](std::size_t i) { ++done[i]; });
    for (const auto& count : done) EXPECT_EQ(count, 1);
  }
  parallel_for(0, 4, [](std::size_t) { FAIL(); });
}

TEST(ParallelFor, HandsAnExceptionOn) {
  std::atomic<int> done = 0;
  const auto body = [&](std::size_t i) {
    if (i == 5) throw std::runtime_error("five");
    ++done;
  };
  EXPECT_THROW(parallel_for(1'000'000, 4, body), std::runtime_error);
  EXPECT_LT(done, 1'000'000);
}

}  // namespace
}  // namespace nongemm
