// The stages of a point, each alone, with a session that takes no time of its own: what goes in decides what comes out.
#include "study/stages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/clock.h"
#include "base/error.h"
#include "test_paths.h"

namespace nongemm {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNodeNs = 1000;
constexpr std::int64_t kBetweenNs = 100;

/// Every node takes kNodeNs, and kBetweenNs pass between two.
class FakeSession : public Session {
 public:
  explicit FakeSession(const Graph& graph) : graph_(graph) {}
  void set_inputs(const std::vector<HostTensor>&) override {}
  void run() override {
    ++runs;
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(graph_.nodes.size()) * (kNodeNs + kBetweenNs);
    while (now_ns() < end) {
    }
  }
  std::vector<HostTensor> outputs() override { return {}; }
  void run_traced(TraceLevel, Trace& trace) override {
    trace = {};
    std::int64_t now = trace.begin_ns = 1'000'000;
    for (NodeId node = 0; node < graph_.nodes.size(); ++node) {
      trace.nodes.push_back({node, now, now + kNodeNs});
      now += kNodeNs + kBetweenNs;
    }
    trace.end_ns = now;
  }
  MemoryUse run_for_memory() override { throw Error(ErrorKind::kUnsupported, "no memory figures"); }
  std::vector<ObservedTypes> run_for_types() override { return {}; }
  void capture() override { throw Error(ErrorKind::kUnsupported, "nothing to capture"); }

  int runs = 0;

 private:
  const Graph& graph_;
};

RunSpec small_gpt2() {
  RunSpec spec;
  spec.model = NONGEMM_SHARED_DIR "/fixtures/numerics/gpt2";
  spec.options.sequence = 8;
  spec.policy.iterations = 12;
  spec.policy.warmup = 2;
  return spec;
}

void say_nothing(const std::string&) {}

DeviceLimits limits(double rate) {
  DeviceLimits limits;
  limits.device = "a processor";
  limits.copy_bandwidth = limits.read_bandwidth = 1e10;
  limits.fp32_rate = rate;
  limits.launch_ns = 100;
  return limits;
}

std::vector<std::string> names_of(const std::vector<Table>& tables) {
  std::vector<std::string> names;
  for (const Table& table : tables) names.emplace_back(table.info->id);
  return names;
}

class Stages : public testing::Test {
 protected:
  MeasuredRun measured() { return measure_run(spec_, built_, session_, say_nothing); }
  AnalysedRun analysed(const LimitsSource& source) { return analyse_run(measured().record, {}, source, nullptr); }

  RunSpec spec_ = small_gpt2();
  BuiltModel built_ = build_model(spec_, say_nothing);
  FakeSession session_{*built_.graph};
  const LimitsSource none_{[] { return std::nullopt; }, [] { return std::nullopt; }};
};

TEST_F(Stages, BuildingGivesTheGraphThatTheSpecificationSays) {
  EXPECT_EQ(built_.graph->attributes.at("batch"), "1");
  EXPECT_EQ(built_.graph->attributes.at("sequence"), "8");
  EXPECT_FALSE(built_.data.has_value());
}

TEST_F(Stages, PreparingGivesWeightsAndInputsInTheGraphsOrder) {
  const PreparedRun prepared = prepare_run(spec_, built_);
  ASSERT_EQ(prepared.weights.tensors.size(), built_.graph->weights.size());
  ASSERT_EQ(prepared.inputs.tensors.size(), built_.graph->inputs.size());
  EXPECT_EQ(prepared.inputs.tensors[0].shape, (Shape{1, 8}));
  EXPECT_THAT(prepared.weights.source, HasSubstr("gpt2"));  // the folder's own
}

TEST_F(Stages, MeasuringTakesAsManySamplesAsThePolicySays) {
  const MeasuredRun run = measured();
  EXPECT_FALSE(run.record.incomplete);
  ASSERT_EQ(run.record.phases.size(), 1U);
  const Phase& phase = run.record.phases[0];
  EXPECT_EQ(phase.latency.samples_s.size(), 12U);
  EXPECT_EQ(phase.latency.warmup_s.size(), 2U);
  EXPECT_GE(session_.runs, 14);
  ASSERT_EQ(phase.devices.size(), 1U);
  ASSERT_EQ(phase.devices[0].nodes.nodes.size(), built_.graph->nodes.size());
  EXPECT_DOUBLE_EQ(phase.devices[0].nodes.nodes[0].host_s, kNodeNs * 1e-9);
  EXPECT_FALSE(phase.devices[0].memory.has_value());  // not measured is absent
  EXPECT_EQ(run.no_replay, "");
}

TEST_F(Stages, AReplayThatCannotBeLeavesTheEagerFigures) {
  spec_.replay = true;
  const MeasuredRun run = measured();
  EXPECT_EQ(run.no_replay, "nothing to capture");
  EXPECT_EQ(run.record.phases.size(), 1U);
}

TEST_F(Stages, AnalysingKeepsTheLimitsItUsed) {
  const AnalysedRun without = analysed(none_);
  EXPECT_FALSE(without.roofline.has_value());
  const AnalysedRun with = analysed({[] { return limits(1e12); }, [] { return std::nullopt; }});
  EXPECT_TRUE(with.roofline.has_value());
  EXPECT_EQ(with.record.devices[0].limits->fp32_rate, 1e12);
}

TEST_F(Stages, LimitsThatProductsExceedAreAskedForAnew) {
  int asked = 0;
  // No product of this model can be done in 1 us at a rate of 1.
  const AnalysedRun run = analysed({[] { return limits(1); },
                                    [&]() -> std::optional<DeviceLimits> {
                                      ++asked;
                                      return limits(1e15);
                                    }});
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(run.record.devices[0].limits->fp32_rate, 1e15);
}

TEST_F(Stages, TablesHaveWhatWasMeasuredAndNothingElse) {
  const std::vector<std::string> names = names_of(tabulate_run(spec_, built_, analysed(none_), 0.5));
  EXPECT_THAT(names, Contains("performance"));
  EXPECT_THAT(names, Contains("groups"));
  EXPECT_THAT(names, Not(Contains("roofline")));
  std::vector<std::string> unique = names;
  std::sort(unique.begin(), unique.end());
  EXPECT_EQ(std::adjacent_find(unique.begin(), unique.end()), unique.end()) << "a table twice";
}

TEST_F(Stages, WhatIsNotRunHasNoTimes) {
  const Record record = record_of(*built_.graph);
  const std::vector<std::string> names = names_of(tabulate_static(built_, record, analyse(record, {})));
  EXPECT_THAT(names, Contains("workload"));
  EXPECT_THAT(names, Not(Contains("performance")));
}

}  // namespace
}  // namespace nongemm
