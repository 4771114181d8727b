#include "profile/walking_session.h"

#include <gtest/gtest.h>

#include <array>

namespace nongemm {
namespace {

/// Counts how far it has walked, and from where.
class Steps : public Session {
 public:
  void set_inputs(const std::vector<HostTensor>&) override {}
  void run() override { farthest = std::max(farthest, ++at); }
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
  void capture() override { captured_at = at; }
  void remember_states() override { kept = at; }
  void restore_states() override {
    at = kept;
    ++restored;
  }

  int at = 0, kept = 0, farthest = 0, restored = 0, captured_at = -1;
};

TEST(WalkingSession, NeverWalksFartherThanThereIsRoom) {
  Steps steps;
  steps.at = 5;
  WalkingSession session(steps, 3);
  for (int i = 0; i < 7; ++i) session.run();
  EXPECT_EQ(steps.farthest, 8);
  EXPECT_EQ(steps.restored, 2);
  EXPECT_EQ(steps.at, 6);
}

TEST(WalkingSession, CutsRowsOfTracesToTheRoom) {
  Steps steps;
  WalkingSession session(steps, 4);
  std::array<Trace, 11> traces;
  session.run_traced_in_a_row(TraceLevel::kHost, traces);
  EXPECT_EQ(steps.farthest, 4);
  EXPECT_EQ(steps.at, 3);
}

TEST(WalkingSession, CapturesWhereItBegan) {
  Steps steps;
  steps.at = 2;
  WalkingSession session(steps, 8);
  session.run();
  session.run();
  session.capture();
  EXPECT_EQ(steps.captured_at, 2);
}

}  // namespace
}  // namespace nongemm
