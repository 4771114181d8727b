// The pass driven with a session whose host and device are made up, and whose truth is therefore known.
#include "profile/reconstruction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "profile/device_pass.h"
#include "profile/made_up_device.h"
#include "record/decomposition.h"

namespace nongemm {
namespace {

using testing::HasSubstr;

constexpr std::uint32_t kOperators = 80;

class FakeSession : public Session {
 public:
  void set_inputs(const std::vector<HostTensor>&) override {}
  void run() override {}
  std::vector<HostTensor> outputs() override { return {}; }
  void run_traced(TraceLevel level, Trace& trace) override {
    switch (level) {
      case TraceLevel::kHost: {
        if (slow_every > 0) device.pace = ++hosts % slow_every == 0 ? 1.6 : 1;
        trace = device.plain();
        truth.push_back(trace);
        trace.device.clear();
        trace.calls.clear();
        trace.end_ns += static_cast<std::int64_t>(longer * static_cast<double>(trace.end_ns - trace.begin_ns));
        device.pace = 1;
        break;
      }
      case TraceLevel::kAttribution:
        trace = device.attributed();
        break;
      case TraceLevel::kTiming:
      case TraceLevel::kTimingSpans:
        trace = device.recorded();
        ++recorded;
        if (level == TraceLevel::kTiming || !spans) trace.nodes.clear();
        for (std::size_t i = 5; i < trace.device.size() && recorded % 2 == 0; ++i) {
          trace.device[i].begin_ns += strays;
          trace.device[i].end_ns += strays;
        }
        break;
    }
  }
  MemoryUse run_for_memory() override { return {}; }
  std::vector<ObservedTypes> run_for_types() override { return {}; }
  void capture() override {}
  std::optional<QueueTimes> queue_times() override {
    if (unsupported) throw Error(ErrorKind::kUnsupported, "no kernels here");
    return MadeUpDevice::times();
  }

  MadeUpDevice device{kOperators, 11};
  std::vector<Trace> truth;  // of plain inferences
  double longer = 0;         // than the device and the host would make a plain inference
  int slow_every = 0;        // one plain inference in so many has a slow host
  bool spans = true;
  bool unsupported = false;
  std::int64_t strays = 0;  // by how much kernels of every other recorded inference are later than they can be
  int recorded = 0;
  int hosts = 0;
};

class ReconstructionTest : public testing::Test {
 protected:
  NodePass measure(int iterations, double plain_s = 2e-3) {
    Graph graph;
    graph.nodes.resize(kOperators);
    for (std::uint32_t i = 0; i < kOperators; ++i) graph.nodes[i].op = "op" + std::to_string(i % 7);
    settings_.policy.iterations = iterations;
    return measure_on_device(session_, graph, settings_, plain_s);
  }

  PassSettings settings_;
  FakeSession session_;
};

TEST_F(ReconstructionTest, GivesThePartsOfPlainInferences) {
  const NodePass pass = measure(20);
  EXPECT_THAT(pass.how, HasSubstr("20 plain inferences through a model of the device's queue"));
  ASSERT_TRUE(pass.reconstruction.has_value());
  EXPECT_EQ(pass.reconstruction->rejected, "");
  EXPECT_EQ(pass.reconstruction->inferences, 20);
  EXPECT_NEAR(pass.reconstruction->latency, 1, 0.001);
  EXPECT_LT(pass.reconstruction->start_error_s, 0.1e-6);
  EXPECT_LT(pass.reconstruction->gap_error, 0.002);
  EXPECT_LT(pass.reconstruction->halves_apart, 0.02);
  EXPECT_EQ(pass.reconstruction->speeds.size(), 1u);
  std::vector<Decomposition> parts;
  for (const Trace& trace : session_.truth) parts.push_back(decompose(trace, kOperators));
  const Decomposition truth = mean_of(parts);
  for (std::size_t i = 0; i < kOperators; ++i) {
    EXPECT_NEAR(pass.nodes[i].device_s, truth.nodes[i].device_ns * 1e-9, 0.01e-6) << i;
    EXPECT_NEAR(pass.nodes[i].gap_s, truth.nodes[i].gap_ns * 1e-9, 0.3e-6) << i;
  }
  const double sum = pass.head_s + pass.device_busy_s + pass.gap_s + pass.tail_s + pass.outside_s;
  EXPECT_NEAR(sum, pass.mean_wall_s, 1e-12);
  EXPECT_NEAR(pass.recorded_s, pass.mean_wall_s, 1e-12) << "nothing is scaled";
  EXPECT_EQ(pass.wall_s.size(), 20u);
  EXPECT_EQ(pass.plain_s.size(), 20u);
}

TEST_F(ReconstructionTest, KernelsThatTakeLongerThanAPlainInferenceStandForThemselves) {
  const NodePass pass = measure(10, 1e-5);
  EXPECT_THAT(pass.how, HasSubstr("parts are of recorded inferences"));
  EXPECT_NEAR(pass.mean_wall_s, pass.recorded_s, 1e-12);
  EXPECT_GT(pass.device_busy_s, 1e-5);
  const double sum = pass.head_s + pass.device_busy_s + pass.gap_s + pass.tail_s + pass.outside_s;
  EXPECT_NEAR(sum, pass.mean_wall_s, 1e-12);
}

TEST_F(ReconstructionTest, AHostDelayIsAGapAndADeviceDelayIsDeviceTime) {
  constexpr std::uint32_t kDelayed = 25;  // launches something, and the device waits for it
  const NodePass before = measure(10);
  session_.device = MadeUpDevice(kOperators, 11);
  session_.device.delayed = kDelayed;
  session_.device.host_delay_ns = 50'000;
  const NodePass host = measure(10);
  session_.device = MadeUpDevice(kOperators, 11);
  session_.device.delayed = kDelayed;
  session_.device.device_delay_ns = 50'000;
  const NodePass device = measure(10);
  ASSERT_GT(before.nodes[kDelayed].kernels, 0);
  EXPECT_NEAR(host.nodes[kDelayed].gap_s - before.nodes[kDelayed].gap_s, 50e-6, 1e-6);
  EXPECT_NEAR(host.nodes[kDelayed].device_s, before.nodes[kDelayed].device_s, 1e-9);
  EXPECT_NEAR(device.nodes[kDelayed].device_s - before.nodes[kDelayed].device_s, 50e-6 * before.nodes[kDelayed].kernels,
              1e-6);
  for (std::size_t i = 0; i < kOperators; ++i) {
    if (i == kDelayed) continue;
    EXPECT_NEAR(host.nodes[i].gap_s, before.nodes[i].gap_s, 0.5e-6) << i;
  }
}

TEST_F(ReconstructionTest, SpeedsOfTheHostAreToldApart) {
  session_.slow_every = 4;
  const NodePass pass = measure(40);
  ASSERT_EQ(pass.reconstruction->rejected, "");
  const std::vector<HostSpeed>& speeds = pass.reconstruction->speeds;
  ASSERT_EQ(speeds.size(), 2u);
  EXPECT_EQ(speeds[0].inferences, 30);
  EXPECT_EQ(speeds[1].inferences, 10);
  EXPECT_GT(speeds[1].gap_s, 1.2 * speeds[0].gap_s);
  EXPECT_NEAR(speeds[1].device_s, speeds[0].device_s, 1e-9);
  EXPECT_NEAR(pass.mean_wall_s, speeds[0].wall_s, 0.02 * speeds[0].wall_s) << "parts are of the frequent speed";
}

TEST_F(ReconstructionTest, AModelThatMissesTheLatencyIsNotUsed) {
  session_.longer = 0.05;
  const NodePass pass = measure(10);
  EXPECT_THAT(pass.how, HasSubstr("kernel records, nodes by order and name"));
  EXPECT_THAT(pass.how, HasSubstr("the queue model was not used: it makes the latency 0.95"));
  EXPECT_NEAR(pass.reconstruction->latency, 1 / 1.05, 0.001);
  EXPECT_NEAR(pass.mean_wall_s, 2e-3, 1e-12) << "scaled to the latency";
}

TEST_F(ReconstructionTest, AModelThatMissesRecordedKernelsIsNotUsed) {
  session_.strays = 200'000;
  const NodePass pass = measure(10);
  EXPECT_THAT(pass.how, HasSubstr("the queue model was not used: "));
  EXPECT_GT(pass.reconstruction->gap_error, 0.03);
}

TEST_F(ReconstructionTest, WithoutSpansOrConstantsRecordsAreUsed) {
  session_.spans = false;
  EXPECT_THAT(measure(5).how, HasSubstr("not used: the session tells no host spans"));
  session_.spans = true;
  session_.unsupported = true;
  const NodePass pass = measure(5);
  EXPECT_THAT(pass.how, HasSubstr("not used: no kernels here"));
  EXPECT_EQ(pass.reconstruction->inferences, 0);
}

TEST_F(ReconstructionTest, WhoeverWantsSamplesOfDeviceTimeGetsRecords) {
  settings_.may_reconstruct = false;
  const NodePass pass = measure(5);
  EXPECT_FALSE(pass.reconstruction.has_value());
  EXPECT_THAT(pass.how, HasSubstr("kernel records"));
}

TEST_F(ReconstructionTest, ADeviceThatIsBusyThroughoutIsRecorded) {
  const NodePass pass = measure(5, 1e-4);
  EXPECT_FALSE(pass.reconstruction.has_value());
  EXPECT_THAT(pass.how, testing::Not(HasSubstr("queue model")));
  EXPECT_FALSE(measure(5, 2.0).reconstruction.has_value()) << "nor are inferences that take seconds put together";
}

}  // namespace
}  // namespace nongemm
