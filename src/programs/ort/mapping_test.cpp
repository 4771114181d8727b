// Optimised graphs as ONNX Runtime makes them, by hand. tests/reference/make_ort_files.py makes test_data/.
#include "programs/ort/mapping.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "onnx/names.h"

namespace nongemm::ort_flow {
namespace {

using Nodes = std::vector<DataflowNode>;
using Ids = std::vector<NodeId>;

/// Names that carry ids say which graph nodes they belong to; those of a user's file say nothing.
Dataflow flow(Nodes nodes, std::unordered_set<std::string> constants = {}) {
  for (DataflowNode& node : nodes) {
    if (node.graph_nodes.empty()) node.graph_nodes = onnx::graph_nodes_in(node.name);
  }
  return {std::move(nodes), std::move(constants)};
}

/// linear, erf-GELU of five nodes, residual, layer norm: what a transformer's MLP ends in.
Dataflow mlp() {
  return flow({{"n0//aten.mm", "MatMul", {"x", "w"}, {"n0/v3"}},
               {"n1//aten.add", "Add", {"n0/v3", "b"}, {"n1/v4"}},
               {"n2//aten.div", "Div", {"n1/v4", "c1"}, {"n2/v5"}},
               {"n3//aten.erf", "Erf", {"n2/v5"}, {"n3/v6"}},
               {"n4//aten.add", "Add", {"n3/v6", "c2"}, {"n4/v7"}},
               {"n5//aten.mul", "Mul", {"n1/v4", "n4/v7"}, {"n5/v8"}},
               {"n6//aten.mul", "Mul", {"n5/v8", "c3"}, {"n6/v9"}},
               {"n7//aten.add", "Add", {"n6/v9", "x"}, {"n7/v10"}},
               {"n8//aten.layer_norm", "LayerNormalization", {"n7/v10", "g", "h"}, {"y"}}},
              {"w", "b", "c1", "c2", "c3", "g", "h"});
}

const RuntimeNode& step_of(const RuntimeProgram& program, const std::string& type) {
  return *std::find_if(program.nodes.begin(), program.nodes.end(),
                       [&](const RuntimeNode& node) { return node.type == type; });
}

TEST(Mapping, WithoutOptimisationEveryNodeIsItsOwnStep) {
  const RuntimeProgram program = map_program(mlp(), mlp());
  ASSERT_EQ(program.nodes.size(), 9);
  for (NodeId id = 0; id < 9; ++id) EXPECT_EQ(program.nodes[id].covers, Ids{id});
  EXPECT_TRUE(program.folded.empty());
}

TEST(Mapping, NodesOfAUsersFileAreKnownByTheirPlace) {
  const Dataflow file = flow({{"conv", "Conv", {"x", "w"}, {"c"}, {0}},
                              {"shape", "Shape", {"c"}, {"s"}},
                              {"conv1", "Conv", {"c", "w"}, {"d"}, {1}},
                              {"norm", "Norm", {"d", "s"}, {"y"}, {2, 3}}},
                             {"w"});
  // The runtime put a function in the place of `norm`, and fused `conv1` with nothing, under a longer name.
  const RuntimeProgram program = map_program(file, flow({{"conv", "Conv", {"x", "w"}, {"c"}},
                                                         {"shape", "Shape", {"c"}, {"s"}},
                                                         {"conv1_nchwc", "Conv", {"c", "w"}, {"d"}},
                                                         {"_inline_mean", "ReduceMean", {"d"}, {"m"}},
                                                         {"_inline_sub", "Sub", {"d", "m"}, {"y"}}},
                                                        {"w"}));
  EXPECT_EQ(program.nodes[0].covers, (Ids{0}));
  EXPECT_EQ(program.nodes[1].role, RuntimeRole::kSizes);
  EXPECT_EQ(program.nodes[2].covers, (Ids{1}));
  EXPECT_EQ(program.nodes[3].covers, (Ids{2, 3}));
  EXPECT_EQ(program.nodes[4].covers, (Ids{2, 3}));
  EXPECT_TRUE(program.folded.empty());
}

TEST(Mapping, FusedStepsCoverWhatLiesBetweenTheirTensors) {
  const RuntimeProgram program = map_program(
      mlp(), flow({{"gemm_input_reshape", "Reshape", {"x", "s1"}, {"gemm_input_reshape_arg"}},
                   {"n0//aten.mm/MatMulAddFusion", "Gemm", {"gemm_input_reshape_arg", "w", "b"}, {"gemm_out"}},
                   {"gemm_output_reshape", "Reshape", {"gemm_out", "s2"}, {"n1/v4"}},
                   {"Gelu", "Gelu", {"n1/v4"}, {"n6/v9"}},
                   {"SkipLayerNormalization", "SkipLayerNormalization", {"n6/v9", "x", "g", "h"}, {"y"}}},
                  {"w", "b", "g", "h", "s1", "s2"}));
  EXPECT_EQ(step_of(program, "Gemm").covers, (Ids{0, 1}));
  EXPECT_EQ(step_of(program, "Gelu").covers, (Ids{2, 3, 4, 5, 6}));
  EXPECT_EQ(step_of(program, "SkipLayerNormalization").covers, (Ids{7, 8}));
  EXPECT_EQ(program.nodes[0].role, RuntimeRole::kReformat);
  EXPECT_EQ(program.nodes[2].role, RuntimeRole::kReformat);
  EXPECT_TRUE(program.nodes[0].covers.empty());
}

TEST(Mapping, CopiesAndCastsAreAdded) {
  const RuntimeProgram program = map_program(
      flow({{"n0//aten.add", "Add", {"x", "x"}, {"n0/v1"}}, {"n1//aten.mul", "Mul", {"n0/v1", "x"}, {"y"}}}),
      flow({{"n0//aten.add", "Add", {"x", "x"}, {"n0/v1"}},
            {"Memcpy", "MemcpyToHost", {"n0/v1"}, {"n0/v1_CPU"}},
            {"InsertedCast_1", "Cast", {"n0/v1_CPU"}, {"n0/v1_cast"}},
            {"n1//aten.mul", "Mul", {"n0/v1_cast", "x"}, {"y_half"}},
            {"InsertedCast_2", "Cast", {"y_half"}, {"y"}}}));
  EXPECT_EQ(program.nodes[1].role, RuntimeRole::kCopyToHost);
  EXPECT_EQ(program.nodes[2].role, RuntimeRole::kCast);
  EXPECT_EQ(program.nodes[3].covers, Ids{1});
  EXPECT_EQ(program.nodes[4].role, RuntimeRole::kCast);
  EXPECT_TRUE(program.nodes[4].covers.empty());
}

TEST(Mapping, StepsBetweenCastsThatWereTakenAwayAreKnownByTheNameInside) {
  // As onnxruntime 1.30 runs fp16 on a CPU: a softmax without an fp16 kernel as its definition, in fp32.
  const std::string free = "InsertedPrecisionFreeCast_";
  const RuntimeProgram program = map_program(
      flow({{"n0//aten.mul", "Mul", {"x", "c"}, {"n0/v1"}},
            {"n1//aten.softmax", "Softmax", {"n0/v1"}, {"n1/v2"}},
            {"n2//aten.view", "Reshape", {"n1/v2", "s"}, {"n2/v3"}},
            {"n3//aten.mul", "Mul", {"n2/v3", "c"}, {"y"}}},
           {"c", "s"}),
      flow({{free + "x", "Cast", {"x"}, {free + "x"}},
            {"n0//aten.mul", "Mul", {free + "x", "c32"}, {free + "n0/v1"}},
            {"", "Exp", {free + "n0/v1"}, {free + "_inlfunc_Softmax_X_Exp"}},
            {"", "ReduceSum", {free + "_inlfunc_Softmax_X_Exp"}, {free + "_inlfunc_Softmax_X_ReduceSum"}},
            {"", "Div", {free + "_inlfunc_Softmax_X_Exp", free + "_inlfunc_Softmax_X_ReduceSum"}, {free + "n1/v2"}},
            {"n2//aten.view", "Reshape", {free + "n1/v2", "s"}, {free + "n2/v3"}},
            {"n3//aten.mul", "Mul", {free + "n2/v3", "c32"}, {free + "y"}},
            {free + "y", "Cast", {free + "y"}, {"y"}}},
           {"c32", "s"}));
  const std::vector<Ids> wanted = {{}, {0}, {1}, {1}, {1}, {2}, {3}, {}};
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(program.nodes[i].covers, wanted[i]) << i;
  EXPECT_EQ(program.nodes[0].role, RuntimeRole::kCast);
  EXPECT_EQ(program.nodes[5].role, RuntimeRole::kCompute);
  EXPECT_EQ(program.nodes[7].role, RuntimeRole::kCast);
}

TEST(Mapping, WhatBecameAConstantIsFolded) {
  const RuntimeProgram program = map_program(flow({{"n0//aten.arange", "Range", {"c"}, {"n0/v1"}},
                                                   {"n1//aten.add", "Add", {"n0/v1", "c"}, {"n1/v2"}},
                                                   {"n2//aten.mul", "Mul", {"x", "n1/v2"}, {"y"}}},
                                                  {"c"}),
                                             flow({{"n2//aten.mul", "Mul", {"x", "n1/v2"}, {"y"}}}, {"n1/v2"}));
  EXPECT_EQ(program.nodes[0].covers, Ids{2});
  EXPECT_EQ(program.folded, (Ids{0, 1}));
}

TEST(Mapping, ConstantsUnderNewNamesAreFoldedToo) {
  const RuntimeProgram program = map_program(
      flow({{"n0//aten.matmul", "MatMul", {"c", "c"}, {"n0/v1"}}, {"n1//aten.mul", "Mul", {"x", "n0/v1"}, {"y"}}},
           {"c"}),
      flow({{"n1//aten.mul", "Mul", {"x", "folded_7"}, {"y"}}}, {"folded_7"}));
  EXPECT_EQ(program.nodes[0].covers, Ids{1});
  EXPECT_EQ(program.folded, Ids{0});
}

TEST(Mapping, ADroppedViewIsNotFused) {
  const RuntimeProgram program = map_program(
      flow({{"n0//aten.view", "Reshape", {"x", "s"}, {"n0/v1"}}, {"n1//aten.relu", "Relu", {"n0/v1"}, {"y"}}}, {"s"}),
      flow({{"n1//aten.relu", "Relu", {"x"}, {"y"}}}));
  EXPECT_EQ(program.nodes[0].covers, Ids{1});
  EXPECT_EQ(program.folded, Ids{0});
}

TEST(Mapping, BlockedConvolutionsKeepTheirNames) {
  const RuntimeProgram program = map_program(flow({{"n0//aten.conv2d", "Conv", {"x", "w"}, {"n0/v1"}},
                                                   {"n1//aten.relu", "Relu", {"n0/v1"}, {"n1/v2"}},
                                                   {"n2//aten.conv2d", "Conv", {"n1/v2", "w"}, {"y"}}},
                                                  {"w"}),
                                             flow({{"reorder_0", "ReorderInput", {"x"}, {"reorder"}},
                                                   {"n1/v2_nchwc", "Conv", {"reorder", "w_b"}, {"reorder_1"}},
                                                   {"y_nchwc", "Conv", {"reorder_1", "w_b"}, {"reorder_2"}},
                                                   {"reorder_3", "ReorderOutput", {"reorder_2"}, {"y"}}},
                                                  {"w_b"}));
  EXPECT_EQ(program.nodes[1].covers, (Ids{0, 1}));
  EXPECT_EQ(program.nodes[2].covers, Ids{2});
  EXPECT_EQ(program.nodes[0].role, RuntimeRole::kReformat);
}

TEST(Mapping, WorkDoneTwiceBelongsToBothSteps) {
  const RuntimeProgram program = map_program(flow({{"n0//aten.neg", "Neg", {"x"}, {"n0/v1"}},
                                                   {"n1//aten.exp", "Exp", {"n0/v1"}, {"a"}},
                                                   {"n2//aten.abs", "Abs", {"n0/v1"}, {"b"}}}),
                                             flow({{"f1", "NegExp", {"x"}, {"a"}}, {"f2", "NegAbs", {"x"}, {"b"}}}));
  EXPECT_EQ(program.nodes[0].covers, (Ids{0, 1}));
  EXPECT_EQ(program.nodes[1].covers, (Ids{0, 2}));
}

TEST(Dataflow, ReadsAModelWithALoop) {
  const std::string bytes = read_file("test_data/loop.onnx", 1 << 20);
  const Dataflow model = read_dataflow(bytes, "loop.onnx");
  ASSERT_EQ(model.nodes.size(), 3);
  EXPECT_EQ(model.nodes[0].type, "Loop");
  // The body takes `scale` from outside.
  EXPECT_NE(std::find(model.nodes[0].inputs.begin(), model.nodes[0].inputs.end(), "scale"),
            model.nodes[0].inputs.end());
  EXPECT_EQ(model.nodes[1].type, "Mul");
  EXPECT_TRUE(model.constants.contains("scale"));
}

TEST(Dataflow, RefusesWhatIsNoModel) {
  EXPECT_THROW(read_dataflow("", "test"), Error);
  EXPECT_THROW(read_dataflow("\x3a\xff\xff\xff\x7f", "test"), Error);
  const std::string bytes = read_file("test_data/loop.onnx", 1 << 20);
  EXPECT_THROW(read_dataflow(std::string_view(bytes).substr(0, bytes.size() / 2), "test"), Error);
}

}  // namespace
}  // namespace nongemm::ort_flow
