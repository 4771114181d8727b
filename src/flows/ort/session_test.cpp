// The flow on the host, over small models whose reference outputs tests/numerics_test.cpp checks.
#include "flows/ort/session.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "prepare/model.h"
#include "test_paths.h"

namespace nongemm::ort_flow {
namespace {

class OrtSessionTest : public testing::Test {
 protected:
  OrtSessionTest()
      : graph_(build_graph(find_model(NONGEMM_SOURCE_DIR "/tests/data/numerics/gpt2-ci_left_upcast"),
                           {.sequence = 8, .attention = Attention::kEager})) {}

  std::unique_ptr<Session> open(const std::string& level) {
    RunOptions options;
    options.settings["ort.level"] = level;
    auto session = make_session(graph_, std::vector<HostTensor>(graph_.weights.size()), options);
    std::vector<HostTensor> inputs;
    for (const Input& input : graph_.inputs) {
      const Type& type = graph_.values[input.value].type;
      inputs.push_back(HostTensor::from(
          type.dtype, type.shape, std::vector<std::int64_t>(static_cast<std::size_t>(element_count(type.shape)), 1)));
    }
    session->set_inputs(inputs);
    return session;
  }

  static std::size_t unmapped(const RuntimeProgram& program) {
    return static_cast<std::size_t>(std::count_if(program.nodes.begin(), program.nodes.end(), [](const auto& step) {
      return step.role == RuntimeRole::kCompute && step.covers.empty();
    }));
  }

  Graph graph_;
};

TEST_F(OrtSessionTest, EveryStepIsMappedAtEveryLevel) {
  std::size_t steps = SIZE_MAX;
  for (const char* level : {"none", "basic", "extended", "all"}) {
    const auto session = open(level);
    ASSERT_NE(session->program(), nullptr);
    EXPECT_EQ(unmapped(*session->program()), 0) << level;
    EXPECT_LE(session->program()->nodes.size(), steps) << level;
    steps = session->program()->nodes.size();
  }
}

TEST_F(OrtSessionTest, FusionCoversTheNodesOfAnActivation) {
  const auto session = open("all");
  bool found = false;
  for (const RuntimeNode& step : session->program()->nodes) {
    found = found || (step.type.find("Gelu") != std::string::npos && step.covers.size() >= 8);
  }
  EXPECT_TRUE(found);
}

TEST_F(OrtSessionTest, TheSpansOfATraceLieInsideIt) {
  const auto session = open("all");
  Trace trace;
  session->run_traced(TraceLevel::kHost, trace);
  EXPECT_EQ(trace.nodes.size(), session->program()->nodes.size());
  std::int64_t inside = 0;
  for (const NodeSpan& span : trace.nodes) {
    EXPECT_LT(span.node, session->program()->nodes.size());
    EXPECT_GE(span.begin_ns, trace.begin_ns);
    EXPECT_LE(span.end_ns, trace.end_ns);
    inside += span.end_ns - span.begin_ns;
  }
  EXPECT_LE(inside, trace.end_ns - trace.begin_ns);
  EXPECT_THROW(session->run_traced(TraceLevel::kTiming, trace), Error);
}

TEST_F(OrtSessionTest, LevelsGiveTheSameOutputs) {
  const auto none = open("none");
  const auto all = open("all");
  none->run();
  all->run();
  const HostTensor expected = none->outputs()[0];
  const HostTensor fused = all->outputs()[0];
  ASSERT_EQ(fused.shape, expected.shape);
  for (std::int64_t i = 0; i < element_count(expected.shape); ++i) {
    EXPECT_NEAR(fused.as<float>()[i], expected.as<float>()[i], 1e-3);
  }
}

TEST_F(OrtSessionTest, MemoryIsWeightsAndWhatARunNeeds) {
  const MemoryUse use = open("all")->run_for_memory();
  EXPECT_GT(use.weights, 0);
  EXPECT_GT(use.peak, use.weights);
}

TEST_F(OrtSessionTest, RefusesWhatItDoesNotKnow) { EXPECT_THROW(open("most"), Error); }

TEST_F(OrtSessionTest, ARejectedModelNamesTheNode) {
  for (const Weight& weight : graph_.weights) {
    if (weight.name.ends_with("h.0.attn.c_attn.weight")) ++graph_.values[weight.value].type.shape[0];
  }
  try {
    open("all");
    FAIL() << "the runtime took it";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("ONNX Runtime"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("h.0.attn.c_attn (aten.addmm"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace nongemm::ort_flow
