#include "base/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>

namespace nongemm {
namespace {

TEST(Interrupt, IsRememberedUntilItHasBeenDealtWith) {
  install_interrupt_handler();
  EXPECT_FALSE(interrupted());
  std::raise(SIGINT);
  EXPECT_TRUE(interrupted());
  std::raise(SIGINT);  // the same one, sent to the process and to its group
  EXPECT_TRUE(interrupted());
  forget_interrupt();
  EXPECT_FALSE(interrupted());
}

TEST(Interrupt, ASecondOneThatIsMeantEndsTheProcess) {
  const auto twice = [] {
    install_interrupt_handler();
    std::raise(SIGINT);
    const timespec wait{0, 600'000'000};
    nanosleep(&wait, nullptr);
    std::raise(SIGINT);
    const timespec patience{10, 0};
    nanosleep(&patience, nullptr);
  };
  EXPECT_EXIT(twice(), testing::ExitedWithCode(130), "");
}

}  // namespace
}  // namespace nongemm
