// States from run to run, over graphs that are smaller than any model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "flows/ort/session.h"
#include "graph/state.h"
#include "ops/builder.h"

namespace nongemm::ort_flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kPastSum = std::string(kPast) + "sum";
const std::string kPresentSum = std::string(kPresent) + "sum";

HostTensor numbers(const std::vector<float>& values) {
  return HostTensor::from<float>(DType::kFloat32, {static_cast<std::int64_t>(values.size())}, values);
}

std::vector<float> values_of(const HostTensor& tensor) {
  return {tensor.as<float>(), tensor.as<float>() + element_count(tensor.shape)};
}

Tensor added(Builder& b, const std::string& name, std::int64_t size = 2) {
  return b.parameter(name, {size}, InitSpec());
}

/// Begins a sum.
Graph first_graph() {
  Builder b("first", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {2}, {});
  b.output(kPresentSum, b.call("aten.add.Tensor", {x, added(b, "w")}));
  return b.finish();
}

/// Adds to it, and gives twice the sum that it found.
Graph step_graph(const std::string& weight = "w") {
  Builder b("step", DType::kFloat32);
  const Tensor past = b.input(kPastSum, DType::kFloat32, {2}, {});
  b.output("twice", b.call("aten.mul.Tensor", {past, 2.0}));
  b.output(kPresentSum, b.call("aten.add.Tensor", {past, added(b, weight)}));
  return b.finish();
}

/// Writes one number into a row, at a place that is counted: a static cache.
Graph written_graph() {
  Builder b("written", DType::kFloat32);
  const Tensor row = b.input(std::string(kPast) + "row", DType::kFloat32, {4}, {});
  const Tensor count = b.input(std::string(kPast) + "count", DType::kInt64, {}, {});
  const Tensor place = b.call("aten.add.Tensor", {b.call("aten.arange.default", {1}), count});
  b.call("aten.add_.Tensor", {count, 1});
  const Tensor written =
      b.call("aten.index_copy_.default", {row, 0, place, b.call("aten.to.dtype", {place, DType::kFloat32})});
  b.output("row", b.call("aten.add.Tensor", {written, added(b, "w", 4)}));
  return b.finish();
}

class OrtStates : public testing::Test {
 protected:
  std::unique_ptr<Session> open(const Graph& graph, const std::vector<float>& weight) {
    return make_session(
        graph, {HostTensor::from<float>(DType::kFloat32, graph.values[graph.weights[0].value].type.shape, weight)},
        RunOptions());
  }

  Graph first_ = first_graph();
  Graph step_ = step_graph();
};

TEST_F(OrtStates, EachRunFindsWhatTheLastHasLeft) {
  const auto first = open(first_, {1, 10});
  const auto step = first->entry(step_);
  first->set_inputs({numbers({2, 3})});
  first->run_on();
  EXPECT_THAT(values_of(first->output(0)), ElementsAre(3, 13));
  step->run_on();
  EXPECT_THAT(values_of(step->output(0)), ElementsAre(6, 26));
  EXPECT_THAT(values_of(step->output(1)), ElementsAre(4, 23));
  step->run_on();
  EXPECT_THAT(values_of(step->outputs()[0]), ElementsAre(8, 46));
  EXPECT_THAT(values_of(step->outputs()[1]), ElementsAre(5, 33));
}

TEST_F(OrtStates, ARunThatIsNotKeptLeavesThemAsTheyWere) {
  const auto first = open(first_, {1, 10});
  const auto step = first->entry(step_);
  first->set_inputs({numbers({2, 3})});
  first->run_on();
  step->run();
  step->run();
  EXPECT_THAT(values_of(step->output(0)), ElementsAre(6, 26));
  EXPECT_THAT(values_of(step->output(1)), ElementsAre(4, 23));
  Trace trace;
  step->run_traced(TraceLevel::kHost, trace);
  EXPECT_THAT(values_of(step->output(1)), ElementsAre(4, 23));
}

TEST_F(OrtStates, WhatIsWrittenInPlaceMovesOn) {
  const Graph graph = written_graph();
  const auto session = open(graph, {0, 0, 0, 0});
  const std::vector<HostTensor> nothing = {{.dtype = DType::kFloat32, .shape = {4}, .data = nullptr},
                                           {.dtype = DType::kInt64, .shape = {}, .data = nullptr}};
  for (int generation = 0; generation < 2; ++generation) {
    session->set_inputs(nothing);
    for (int i = 0; i < 3; ++i) {
      session->run();  // which may be run over and over
      session->run_on();
    }
    EXPECT_THAT(values_of(session->output(0)), ElementsAre(0, 1, 2, 0));
  }
  EXPECT_EQ(session->outputs().size(), graph.outputs.size());
}

TEST_F(OrtStates, SayWhatIsMissing) {
  const auto message = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const auto first = open(first_, {1, 10});
  const auto step = first->entry(step_);
  EXPECT_THAT(message([&] { step->run(); }), HasSubstr("nothing has made the state sum"));
  const Graph other = step_graph("other");
  EXPECT_THAT(message([&] { first->entry(other); }), HasSubstr("no weight other"));
}

}  // namespace
}  // namespace nongemm::ort_flow
