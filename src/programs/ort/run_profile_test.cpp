#include "programs/ort/run_profile.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "programs/ort/program.h"

namespace nongemm::ort_flow {
namespace {

/// An event as ONNX Runtime 1.30 writes it, shortened.
std::string node(const std::string& name, int begin, int duration, const std::string& type, int index) {
  return R"({"cat" : "Node","pid" :1,"tid" :1,"dur" :)" + std::to_string(duration) + R"(,"ts" :)" +
         std::to_string(begin) + R"(,"ph" : "X","name" :")" + name +
         R"(_kernel_time","args" : {"output_type_shape" : [{"float":[2,64]}],"output_size" : "512","node_index" : ")" +
         std::to_string(index) + R"(","op_name" : ")" + type + R"(","provider" : "CPUExecutionProvider"}})";
}

std::string profile(const std::string& nodes) {
  return "[\n" + nodes + R"(,
{"cat" : "Session","pid" :1,"tid" :1,"dur" :79,"ts" :5,"ph" : "X","name" :"SequentialExecutor::Execute","args" : {}},
{"cat" : "Session","pid" :1,"tid" :1,"dur" :90,"ts" :2,"ph" : "X","name" :"model_run","args" : {}}
])";
}

TEST(RunProfile, ReadsNodesInTheOrderOfTheirBegin) {
  const RunProfile run = parse_run_profile(
      profile(node("n1//aten.add", 30, 4, "Add", 7) + "," + node("n0//aten.mm", 6, 20, "MatMul", 3)), "test");
  EXPECT_EQ(run.begin_us, 2);
  EXPECT_EQ(run.duration_us, 90);
  ASSERT_EQ(run.nodes.size(), 2);
  EXPECT_EQ(run.nodes[0].name, "n0//aten.mm");
  EXPECT_EQ(run.nodes[0].type, "MatMul");
  EXPECT_EQ(run.nodes[0].provider, "CPU");
  EXPECT_EQ(run.nodes[0].index, 3);
  EXPECT_EQ(run.nodes[0].output_bytes, 512);
  EXPECT_EQ(run.nodes[0].outputs, (std::vector<Shape>{{2, 64}}));
}

TEST(RunProfile, ALoopHasOnlyItsOwnTime) {
  const RunProfile run =
      parse_run_profile(profile(node("body", 20, 10, "Add", 0) + "," + node("body", 40, 10, "Add", 0) + "," +
                                node("loop", 10, 60, "Loop", 1) + "," + node("after", 70, 5, "Mul", 2)),
                        "test");
  EXPECT_EQ(run.nodes[0].name, "loop");
  EXPECT_EQ(own_durations(run.nodes), (std::vector<std::int64_t>{40, 10, 10, 5}));
}

TEST(RunProfile, NamesWhatIsWrong) {
  EXPECT_THROW(parse_run_profile("", "test"), Error);
  EXPECT_THROW(parse_run_profile("{}", "test"), Error);
  EXPECT_THROW(parse_run_profile("[]", "test"), Error);
  EXPECT_THROW(parse_run_profile(profile(node("a", -1, 4, "Add", 7)), "test"), Error);
  EXPECT_THROW(parse_run_profile(profile(R"({"cat":"Node","name":"a_kernel_time"})"), "test"), Error);
}

RuntimeNode step(const std::string& name, const std::string& type) {
  RuntimeNode node;
  node.name = name;
  node.type = type;
  return node;
}

TEST(Program, TakesTheOrderOfTheRun) {
  RuntimeProgram mapped;
  mapped.nodes = {step("first", "Add"), step("twin", "Mul"), step("twin", "Mul"), step("branch", "Exp")};
  mapped.nodes[1].covers = {1};
  mapped.nodes[2].covers = {2};
  Program program(mapped);
  const RunProfile run =
      parse_run_profile(profile(node("twin", 10, 1, "Mul", 4) + "," + node("twin", 20, 2, "Mul", 5) + "," +
                                node("first", 30, 3, "Add", 1) + "," + node("surprise", 40, 1, "Cast", 9)),
                        "test");
  program.complete(run);
  const std::vector<RuntimeNode>& steps = program.steps().nodes;
  ASSERT_EQ(steps.size(), 5);
  EXPECT_EQ(steps[0].covers, (std::vector<NodeId>{1}));
  EXPECT_EQ(steps[1].covers, (std::vector<NodeId>{2}));
  EXPECT_EQ(steps[2].name, "first");
  EXPECT_EQ(steps[2].provider, "CPU");
  EXPECT_EQ(steps[3].name, "surprise");
  EXPECT_EQ(steps[4].name, "branch");  // it did not run this time

  const std::vector<NodeSpan> spans = program.spans(run);
  ASSERT_EQ(spans.size(), 4);
  EXPECT_EQ(spans[1].node, 1);
  EXPECT_EQ(spans[1].begin_ns, 18000);  // from the begin of the run
  EXPECT_EQ(spans[1].end_ns, 20000);

  const RunProfile other = parse_run_profile(profile(node("branch", 10, 6, "Exp", 30)), "test");
  ASSERT_EQ(program.spans(other).size(), 1);
  EXPECT_EQ(program.spans(other)[0].node, 4);
}

TEST(Program, FindsStepsWithoutNamesByTheirTypes) {
  RuntimeProgram mapped;
  mapped.nodes = {step("", "Exp"), step("", "Div"), step("", "Exp"), step("Exp_8", "Exp")};
  for (NodeId i = 0; i < 4; ++i) mapped.nodes[i].covers = {i};
  Program program(mapped);
  program.complete(
      parse_run_profile(profile(node("Exp_504", 10, 1, "Exp", 504) + "," + node("Div_506", 20, 1, "Div", 506) + "," +
                                node("Exp_8", 30, 1, "Exp", 3) + "," + node("Exp_509", 40, 1, "Exp", 509) + "," +
                                node("Exp_510", 50, 1, "Exp", 510)),
                        "test"));
  const std::vector<RuntimeNode>& steps = program.steps().nodes;
  ASSERT_EQ(steps.size(), 5);
  EXPECT_EQ(steps[0].covers, (std::vector<NodeId>{0}));
  EXPECT_EQ(steps[0].name, "Exp_504");
  EXPECT_EQ(steps[1].covers, (std::vector<NodeId>{1}));
  EXPECT_EQ(steps[2].covers, (std::vector<NodeId>{3}));  // named so
  EXPECT_EQ(steps[3].covers, (std::vector<NodeId>{2}));
  EXPECT_TRUE(steps[4].covers.empty());  // one more than the graph has
}

}  // namespace
}  // namespace nongemm::ort_flow
