// The passes on a device, driven with a session that has none: it leaves the traces of a made-up model.
#include "profile/timing_pass.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "profile/device_pass.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kOperators = 200;
constexpr std::int64_t kKernelNs = 5000;
constexpr std::int64_t kGapNs = 5000;
constexpr double kWallS = kOperators * (kKernelNs + kGapNs) * 1e-9 + 20e-6;

/// An operator launches one kernel for which the device waits. Nothing takes real time.
class FakeSession : public Session {
 public:
  void set_inputs(const std::vector<HostTensor>&) override {}
  void run() override { ++plain; }
  std::vector<HostTensor> outputs() override { return {}; }
  void run_traced(TraceLevel level, Trace& trace) override {
    ++whole;
    trace = inference(Window(), level == TraceLevel::kAttribution);
    if (level == TraceLevel::kAttribution) return;
    if (other_kernels) trace.names.assign(trace.names.size(), "another");
    trace.device.resize(trace.device.size() - left_out);
  }
  bool can_record_windows() const override { return can; }
  void run_traced_windows(std::span<const Window> windows, std::span<Trace> traces) override {
    if (refuses) throw Error(ErrorKind::kUnsupported, "switching failed");
    for (std::size_t i = 0; i < windows.size(); ++i) {
      traces[i] = inference(windows[i], false);
      if (windows[i].last != kNoId || windows[i].first != 0) ++windowed;
      if (windowed == damaged || all_damaged) {
        // Enough of a window's kernels in the middle that its round cannot count.
        auto& records = traces[i].device;
        if (records.size() > 10) records.erase(records.begin() + 5, records.end() - 5);
      }
    }
  }
  MemoryUse run_for_memory() override { return {}; }
  std::vector<ObservedTypes> run_for_types() override { return {}; }
  void capture() override {}

  int plain = 0;
  int whole = 0;     // traced ones of which everything was recorded
  int windowed = 0;  // traced ones of which a window was
  bool can = true;
  bool refuses = false;
  int damaged = -1;  // the windowed inference that loses records
  bool all_damaged = false;
  bool other_kernels = false;  // in whole timing traces
  std::uint32_t left_out = 0;  // operators that whole timing traces lack at their end

 private:
  Trace inference(const Window& window, bool attributed) {
    Trace trace;
    trace.begin_ns = clock_;
    std::int64_t now = clock_ + 10'000;
    for (std::uint32_t i = 0; i < kOperators; ++i) {
      trace.names.push_back("kernel " + std::to_string(i));
      DeviceRecord record;
      record.begin_ns = now + kGapNs;
      record.end_ns = now = record.begin_ns + kKernelNs;
      record.name = i;
      record.stream = 7;
      if (attributed) {
        record.node = record.span = i;
        trace.nodes.push_back({i, record.begin_ns, record.begin_ns + 1000});
        if (i % 50 == 3) trace.synchronisations.push_back({record.begin_ns, record.begin_ns + 700, i});
      }
      if (i >= window.first && i <= window.last) trace.device.push_back(record);
    }
    trace.end_ns = now + 10'000;
    clock_ = trace.end_ns + 60'000;
    return trace;
  }

  std::int64_t clock_ = 1'000'000'000;
};

class TimingPass : public testing::Test {
 protected:
  NodePass measure(int iterations, double plain_s = kWallS) {
    Graph graph;
    graph.nodes.resize(kOperators);
    PassSettings settings;
    settings.policy.iterations = iterations;
    return measure_on_device(session_, graph, settings, plain_s);
  }

  /// Exactly what the model does, whatever was recorded how.
  void expect_the_model(const NodePass& pass) {
    ASSERT_EQ(pass.nodes.size(), kOperators);
    for (const NodeTime& node : pass.nodes) {
      EXPECT_NEAR(node.device_s, kKernelNs * 1e-9, 1e-12);
      EXPECT_EQ(node.kernels, 1);
    }
    for (std::size_t i = 1; i < pass.nodes.size(); ++i) EXPECT_NEAR(pass.nodes[i].gap_s, kGapNs * 1e-9, 1e-12) << i;
    EXPECT_NEAR(pass.head_s, 15e-6, 1e-12);
    EXPECT_NEAR(pass.tail_s, 10e-6, 1e-12);
    EXPECT_NEAR(pass.recorded_s, kWallS, 1e-12);
    EXPECT_EQ(pass.attributed, 1.0);
    EXPECT_EQ(pass.kernels.size(), kOperators);
  }

  FakeSession session_;
};

TEST_F(TimingPass, RecordsWindowsWhereTheDeviceWaits) {
  const NodePass pass = measure(12);
  expect_the_model(pass);
  EXPECT_THAT(pass.how, HasSubstr("one of 8 windows in each inference, 12 rounds, nodes"));
  EXPECT_EQ(session_.windowed, 12 * 8);
  EXPECT_EQ(pass.averaged, 12);
  EXPECT_EQ(pass.wall_s.size(), 12u * 8);
  EXPECT_EQ(pass.plain_s.size(), 12u * 8);
  EXPECT_EQ(session_.whole, 2 + 5);  // the attribution pass alone
}

TEST_F(TimingPass, HostTimesAndWaitsComeFromTheAttributionPass) {
  const NodePass pass = measure(3);
  for (std::uint32_t i = 0; i < kOperators; ++i) {
    EXPECT_NEAR(pass.nodes[i].host_s, 1e-6, 1e-12);
    EXPECT_NEAR(pass.nodes[i].wait_s, i % 50 == 3 ? 0.7e-6 : 0, 1e-12) << i;
    EXPECT_EQ(pass.nodes[i].calls, 1);
  }
}

TEST_F(TimingPass, AReplayIsRecordedWholeAndMayLeaveOperatorsOut) {
  Graph graph;
  graph.nodes.resize(kOperators);
  PassSettings settings;
  settings.policy.iterations = 5;
  session_.left_out = 50;
  const Phase replay = measure_replay(session_, graph, settings);
  EXPECT_EQ(replay.latency.samples_s.size(), 5u);
  EXPECT_EQ(replay.devices[0].nodes.averaged, 5);
  EXPECT_EQ(replay.devices[0].nodes.how, "kernel records of the replay, nodes by order");
  EXPECT_NEAR(replay.devices[0].nodes.nodes[7].device_s, kKernelNs * 1e-9, 1e-12);
  EXPECT_EQ(session_.windowed, 0);
}

TEST_F(TimingPass, LongInferencesGetFewerWindowsAndVeryLongOnesNone) {
  expect_the_model(measure(3));
  const NodePass fewer = measure(3, 0.1);
  EXPECT_THAT(fewer.how, HasSubstr("one of 2 windows"));
  session_.windowed = 0;
  const NodePass none = measure(3, 1.0);
  EXPECT_THAT(none.how, testing::Not(HasSubstr("windows")));
  EXPECT_EQ(session_.windowed, 0);
}

TEST_F(TimingPass, ADeviceThatIsBusyThroughoutIsRecordedWhole) {
  const NodePass pass = measure(5, kOperators * kKernelNs * 1e-9 * 1.04);
  EXPECT_EQ(pass.how.find("windows"), std::string::npos);
  EXPECT_EQ(session_.windowed, 0);
  EXPECT_EQ(pass.averaged, 5);
}

TEST_F(TimingPass, ASessionThatCannotSwitchPaysNothingForIt) {
  session_.can = false;
  expect_the_model(measure(4));
  EXPECT_EQ(session_.plain, 4 + 1);
}

TEST_F(TimingPass, WhenSwitchingFailsEverythingIsRecorded) {
  session_.refuses = true;
  const NodePass pass = measure(4);
  expect_the_model(pass);
  EXPECT_THAT(pass.how, HasSubstr("kernel records, nodes by order and name"));
}

TEST_F(TimingPass, WindowsThatLoseRecordsAreGivenUp) {
  session_.all_damaged = true;
  const NodePass pass = measure(4);
  expect_the_model(pass);
  EXPECT_THAT(pass.how, HasSubstr("kernel records, nodes by order and name"));
}

TEST_F(TimingPass, ALateRoundThatDoesNotMatchIsLeftOut) {
  session_.damaged = 15 * 8 + 4;
  const NodePass pass = measure(20);
  expect_the_model(pass);
  EXPECT_THAT(pass.how, HasSubstr("windows"));
  EXPECT_EQ(pass.averaged, 20);
  EXPECT_EQ(session_.windowed, 21 * 8);
}

TEST_F(TimingPass, WhatNeverMatchesComesFromTheAttributionPass) {
  session_.can = false;
  session_.other_kernels = true;
  const NodePass pass = measure(4);
  expect_the_model(pass);
  EXPECT_THAT(pass.how, HasSubstr("only 0.0 % of kernel time matched"));
  EXPECT_TRUE(pass.plain_s.empty());
}

}  // namespace
}  // namespace nongemm
