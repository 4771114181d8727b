// The measuring loop, driven with a session whose runs take what the test says.
#include "profile/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <ctime>

#include "base/interrupt.h"
#include "profile/host_pass.h"
#include "profile/measurement.h"
#include "profile/step_times.h"

namespace nongemm {
namespace {

using testing::DoubleNear;
using testing::Each;
using testing::ElementsAre;

void busy_for(double seconds) {
  const Stopwatch watch;
  while (watch.seconds() < seconds) {
  }
}

/// Two nodes; traces say that inference i took `walls_ns[i]`, a tenth of it outside the nodes.
class ScriptedSession : public Session {
 public:
  void set_inputs(const std::vector<HostTensor>&) override {}
  void run() override {
    ++runs;
    log += 'r';
    if (runs == interrupt_at) std::raise(SIGINT);
    if (runs == slow_at) busy_for(5e-3);
    busy_for(run_s);
  }
  std::vector<HostTensor> outputs() override { return {}; }
  void run_traced(TraceLevel, Trace& trace) override {
    log += 't';
    const std::int64_t wall = walls_ns[traced++ % walls_ns.size()];
    trace = {};
    trace.begin_ns = 1000;
    trace.end_ns = 1000 + wall;
    trace.nodes = {{0, 1000, 1000 + wall / 2}, {1, 2000, 2000 + wall / 5}, {1, 3000, 3000 + wall / 5}};
  }
  MemoryUse run_for_memory() override { return {.weights = 1, .peak = 2}; }
  std::vector<ObservedTypes> run_for_types() override { return {}; }
  void capture() override {}
  const RuntimeProgram* program() const override { return has_program ? &program_ : nullptr; }
  std::vector<double> run_for_steps() override {
    const double seconds = step_runs++ == 0 ? 100.0 : 1.0;
    return {seconds, 2 * seconds};
  }
  DeviceState device_state() override {
    DeviceState state;
    state.throttled = throttled;
    return state;
  }

  int runs = 0;
  int slow_at = -1;
  int interrupt_at = -1;
  double run_s = 0;
  std::string log;
  std::vector<std::int64_t> walls_ns = {10'000};
  std::size_t traced = 0;
  std::optional<bool> throttled;
  bool has_program = false;
  int step_runs = 0;

 private:
  RuntimeProgram program_;
};

PassSettings exactly(int iterations) {
  PassSettings settings;
  settings.policy.iterations = iterations;
  return settings;
}

class Sampling : public testing::Test {
 protected:
  void TearDown() override { forget_interrupt(); }
  ScriptedSession session_;
};

TEST_F(Sampling, WarmUpRunsAsOftenAsItIsTold) {
  PassSettings settings;
  settings.policy.warmup = 4;
  EXPECT_EQ(warm_up(session_, settings).size(), 4u);
  settings.policy.warmup = 0;
  EXPECT_TRUE(warm_up(session_, settings).empty());
  EXPECT_EQ(session_.runs, 4);
}

TEST_F(Sampling, WarmUpSettlesByItsParameters) {
  PassSettings settings;
  settings.policy.warm_up = {"settle", {{"least", 2}, {"seconds", 0}}};
  EXPECT_EQ(warm_up(session_, settings).size(), 2u);
  settings.policy.warm_up = {"settle", {{"least", 5}, {"most", 3}}};
  EXPECT_EQ(warm_up(session_, settings).size(), 3u);
  session_.run_s = 2e-3;
  settings.policy.warm_up = {"settle", {{"seconds", 0.01}}};
  EXPECT_THAT(warm_up(session_, settings).size(), testing::AllOf(testing::Ge(3u), testing::Le(5u)));
}

TEST_F(Sampling, TheHookComesBeforeEverySampleAndIsNotTimed) {
  PassSettings settings = exactly(3);
  settings.before_sample = [this] {
    session_.log += 'h';
    busy_for(2e-3);
  };
  const LatencyPass pass = measure_latency(session_, settings);
  EXPECT_EQ(session_.log, "hrhrhr");
  EXPECT_EQ(pass.samples_s.size(), 3u);
  EXPECT_LT(*std::min_element(pass.samples_s.begin(), pass.samples_s.end()), 1e-3);
  session_.log.clear();
  measure_on_host(session_, 2, settings);
  EXPECT_EQ(session_.log, "hrhthrhthrht");
}

TEST_F(Sampling, AHookThatTakesTooLongEndsThePass) {
  PassSettings settings;
  settings.policy.most_seconds = 0.02;
  settings.policy.stop.parameters = {{"least", 1000}};
  settings.before_sample = [] { busy_for(5e-3); };
  const std::size_t samples = measure_latency(session_, settings).samples_s.size();
  EXPECT_GE(samples, 10u);  // never fewer
  EXPECT_LT(samples, 40u);
}

TEST_F(Sampling, VeryManySamplesCostTimeInProportion) {
  // Sorting or summing anew what there is after each sample takes this some minutes of the processor.
  constexpr int kMany = 400'000;
  const std::clock_t begin = std::clock();
  EXPECT_EQ(measure_latency(session_, exactly(kMany)).samples_s.size(), static_cast<std::size_t>(kMany));
  std::vector<double> samples;
  for (const RuleChoice& choice : {RuleChoice{"time", {{"seconds", 1000}}},
                                   RuleChoice{"interval", {{"width", 0}, {"most", kMany}, {"seconds", 1000}}}}) {
    const auto rule = make_rule(stopping_rules(), choice);
    samples.clear();
    for (int i = 1; i < kMany; ++i) {
      samples.push_back(i % 2 == 0 ? 0.001 : 0.002);
      ASSERT_FALSE(rule->enough(samples)) << choice.name << " after " << i;
    }
  }
  EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 15.0);
}

TEST_F(Sampling, AnInterruptKeepsWhatWasMeasured) {
  install_interrupt_handler();
  session_.interrupt_at = 3;
  const LatencyPass pass = measure_latency(session_, exactly(10));
  EXPECT_EQ(pass.samples_s.size(), 3u);
  EXPECT_TRUE(warm_up(session_, exactly(10)).empty());
  EXPECT_TRUE(measure_on_host(session_, 2, exactly(10)).wall_s.empty());
}

TEST_F(Sampling, AnInterruptedRecordSaysSoAndHasNoLaterPasses) {
  install_interrupt_handler();
  PassSettings settings = exactly(10);
  settings.policy.warmup = 1;
  session_.interrupt_at = 4;
  Graph graph;
  graph.nodes.resize(2);
  const Record record = measure(session_, std::make_shared<const Graph>(std::move(graph)), settings, false);
  EXPECT_TRUE(record.incomplete);
  ASSERT_EQ(record.phases.size(), 1u);
  EXPECT_EQ(record.phases[0].latency.warmup_s.size(), 1u);
  EXPECT_EQ(record.phases[0].latency.samples_s.size(), 3u);
  EXPECT_EQ(record.phases[0].devices[0].nodes.averaged, 0);
  EXPECT_FALSE(record.phases[0].devices[0].memory.has_value());
}

TEST_F(Sampling, ARecordHasAllPasses) {
  PassSettings settings = exactly(5);
  settings.policy.warmup = 2;
  Graph graph;
  graph.nodes.resize(2);
  const Record record = measure(session_, std::make_shared<const Graph>(std::move(graph)), settings, false);
  EXPECT_FALSE(record.incomplete);
  EXPECT_TRUE(record.devices[0].is_host);
  const Phase& phase = record.phases[0];
  EXPECT_EQ(phase.latency.warmup_s.size(), 2u);
  EXPECT_EQ(phase.latency.samples_s.size(), 5u);
  EXPECT_EQ(phase.latency.stopping_rule, "5 iterations");
  EXPECT_EQ(phase.devices[0].nodes.averaged, 5);
  EXPECT_EQ(phase.devices[0].memory->peak, 2u);
  EXPECT_FALSE(phase.devices[0].steps.has_value());
}

TEST_F(Sampling, NodesOfAHostAddUpToTheMeanWallTime) {
  const NodePass pass = measure_on_host(session_, 2, exactly(4));
  EXPECT_DOUBLE_EQ(pass.mean_wall_s, 10e-6);
  EXPECT_DOUBLE_EQ(pass.nodes[0].host_s, 5e-6);
  EXPECT_DOUBLE_EQ(pass.nodes[1].host_s, 4e-6);
  EXPECT_DOUBLE_EQ(pass.nodes[1].calls, 2);
  EXPECT_NEAR(pass.outside_s, 1e-6, 1e-15);
  EXPECT_THAT(pass.inside_s, Each(DoubleNear(9e-6, 1e-15)));
}

TEST_F(Sampling, MeansAreOverUndisturbedIterationsInEveryPass) {
  EXPECT_THAT(undisturbed(std::vector<double>{3, 1, 2, 50, 1, 1, 1, 1, 1, 1, 1}),
              ElementsAre(0, 1, 2, 4, 5, 6, 7, 8, 9, 10));
  session_.walls_ns = {1'000'000, 10'000, 10'000, 10'000, 10'000, 10'000, 10'000, 10'000, 10'000, 10'000, 10'000};
  const NodePass host = measure_on_host(session_, 2, exactly(11));
  EXPECT_EQ(host.averaged, 10);
  EXPECT_DOUBLE_EQ(host.nodes[0].host_s, 5e-6);
  session_.has_program = true;
  const std::optional<StepPass> steps = measure_steps(session_, exactly(11));
  ASSERT_TRUE(steps.has_value());
  EXPECT_EQ(steps->inferences, 10);
  EXPECT_EQ(steps->sum_s.size(), 11u);
  EXPECT_THAT(steps->mean_s, ElementsAre(DoubleNear(1, 1e-12), DoubleNear(2, 1e-12)));
}

TEST_F(Sampling, ASampleFarAboveTheOthersIsMarked) {
  session_.run_s = 1e-3;
  session_.slow_at = 8;
  const LatencyPass pass = measure_latency(session_, exactly(12));
  ASSERT_EQ(pass.marks.size(), 12u);
  EXPECT_EQ(pass.marks[7], SampleMark::kDisturbed);
  EXPECT_TRUE(pass.retaken_s.empty());  // it counts unless the rule says otherwise
}

TEST_F(Sampling, WhereTheRuleSaysSoDoubtfulSamplesAreTakenAgain) {
  session_.run_s = 1e-3;
  session_.slow_at = 8;
  PassSettings settings = exactly(12);
  settings.policy.stop.parameters = {{"retake", 0.25}};
  const LatencyPass pass = measure_latency(session_, settings);
  EXPECT_EQ(pass.samples_s.size(), 12u);
  EXPECT_GE(pass.retaken_s.size(), 1u);
  EXPECT_LE(pass.retaken_s.size(), 3u);
  EXPECT_GT(*std::max_element(pass.retaken_s.begin(), pass.retaken_s.end()), 5e-3);
  EXPECT_EQ(session_.runs, 12 + static_cast<int>(pass.retaken_s.size()));
}

TEST_F(Sampling, ADeviceThatIsThrottledThroughoutIsMeasuredAllTheSame) {
  session_.throttled = true;
  PassSettings settings = exactly(8);
  settings.policy.stop.parameters = {{"retake", 0.5}};
  const LatencyPass pass = measure_latency(session_, settings);
  EXPECT_EQ(pass.samples_s.size(), 8u);
  EXPECT_THAT(pass.marks, Each(SampleMark::kThrottled));
  EXPECT_LE(pass.retaken_s.size(), 4u);
}

}  // namespace
}  // namespace nongemm
