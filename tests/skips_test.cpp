// A skipped test is a failed one, unless the list says why not.
#include "skips.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

#include "test_paths.h"

namespace nongemm {
namespace {

const std::string kInner = "--gtest_also_run_disabled_tests --gtest_filter=Inner.DISABLED_";

/// This program with one of the tests below alone; its exit code.
int run_inner(const std::string& test) {
  const std::string command = NONGEMM_BINARY_DIR "/tests/skips_test " + kInner + test + " > /dev/null";
  return WEXITSTATUS(std::system(command.c_str()));
}

// Only run by the test below: disabled tests are left out otherwise.
TEST(Inner, DISABLED_ForNoListedReason) { GTEST_SKIP() << "it is Monday"; }
TEST(Inner, DISABLED_ForAListedReason) { GTEST_SKIP() << "no NVIDIA driver on this machine"; }

TEST(Skips, FailUnlessTheyAreListed) {
  EXPECT_EQ(run_inner("ForNoListedReason"), 1);
  EXPECT_EQ(run_inner("ForAListedReason"), 0);
}

TEST(Skips, AreListedWithAReason) {
  const std::vector<Skip> skips = read_skips("# comment\n\n no /dev/full | a container may have none\n");
  ASSERT_EQ(skips.size(), 1U);
  EXPECT_EQ(skips[0].why, "a container may have none");
  EXPECT_EQ(excuse_of("there is no /dev/full here", skips), &skips[0]);
  EXPECT_EQ(excuse_of("it is Monday", skips), nullptr);
  EXPECT_THROW(read_skips("no reason given\n"), std::invalid_argument);
  EXPECT_THROW(read_skips(" | excuses everything\n"), std::invalid_argument);
}

}  // namespace
}  // namespace nongemm
