#include "profile/walking_session.h"

#include <gtest/gtest.h>

#include <array>

namespace nongemm {
namespace {

/// Counts how far it has walked, and from where.
class Steps : public Session {
 public:
  void set_inputs(const std::vector<HostTensor>&) override {}
  void run() override { farthest_ = std::max(farthest_, ++at_); }
  std::vector<HostTensor> outputs() override { return {}; }
  void run_traced(TraceLevel, Trace&) override { run(); }
  MemoryUse run_for_memory() override {
    run();
    return {};
  }
  std::vector<ObservedTypes> run_for_types() override {
    run();
    return {};
  }
  void capture() override { captured_at_ = at_; }
  void remember_states() override { kept_ = at_; }
  void restore_states() override {
    at_ = kept_;
    ++restored_;
  }

  int at_ = 0, kept_ = 0, farthest_ = 0, restored_ = 0, captured_at_ = -1;
};

TEST(WalkingSession, NeverWalksFartherThanThereIsRoom) {
  Steps steps;
  steps.at_ = 5;
  WalkingSession session(steps, 3);
  for (int i = 0; i < 7; ++i) session.run();
  EXPECT_EQ(steps.farthest_, 8);
  EXPECT_EQ(steps.restored_, 2);
  EXPECT_EQ(steps.at_, 6);
}

TEST(WalkingSession, CutsRowsOfTracesToTheRoom) {
  Steps steps;
  WalkingSession session(steps, 4);
  std::array<Trace, 11> traces;
  session.run_traced_in_a_row(TraceLevel::kHost, traces);
  EXPECT_EQ(steps.farthest_, 4);
  EXPECT_EQ(steps.at_, 3);
}

TEST(WalkingSession, CapturesWhereItBegan) {
  Steps steps;
  steps.at_ = 2;
  WalkingSession session(steps, 8);
  session.run();
  session.run();
  session.capture();
  EXPECT_EQ(steps.captured_at_, 2);
}

}  // namespace
}  // namespace nongemm
