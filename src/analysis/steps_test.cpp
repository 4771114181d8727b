#include "analysis/steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/doubts.h"
#include "analysis/fusion.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

/// y = attention(q, k, v) + q, the attention one operator.
class AttentionInParts : public testing::Test {
 protected:
  AttentionInParts() {
    Builder b("test", DType::kFloat32);
    const Shape shape = {1, 2, 8, 4};
    const Tensor q = b.input("q", DType::kFloat32, shape, {});
    const Tensor k = b.input("k", DType::kFloat32, shape, {});
    const Tensor attended = b.call("aten.scaled_dot_product_attention.default", {q, k, k}, {{"is_causal", true}});
    b.output("y", b.call("aten.add.Tensor", {attended, q}));
    graph_ = b.finish();
    attention_ = 0;
    sum_ = 1;
  }

  static RuntimeNode step(const std::string& type, std::vector<NodeId> covers, std::vector<std::string> operators) {
    RuntimeNode node;
    node.name = node.type = type;
    node.covers = std::move(covers);
    node.operators = std::move(operators);
    return node;
  }

  Analysis analyse_program(std::vector<RuntimeNode> steps) {
    Record record = record_of(graph_);
    record.devices.emplace_back();
    NodePass& pass = record.phases.emplace_back().devices.emplace_back().nodes;
    pass.averaged = 1;
    pass.nodes.assign(steps.size(), {.host_s = 1e-3, .calls = 1});
    pass.mean_wall_s = 1;
    record.entries[0].program = RuntimeProgram{std::move(steps), {}};
    return analyse(record, {});
  }

  std::vector<Group> groups(std::vector<RuntimeNode> steps) {
    std::vector<Group> found;
    for (const NodeRow& row : analyse_program(std::move(steps)).nodes) found.push_back(row.group);
    return found;
  }

  Graph graph_;
  NodeId attention_ = 0;
  NodeId sum_ = 0;
};

TEST_F(AttentionInParts, AStepThatNobodyOpensIsSaid) {
  RuntimeNode block = step("Myelin", {attention_, sum_}, {"attention", "add"});
  block.opaque = true;
  Analysis analysis = analyse_program({block, step("Add", {}, {})});
  EXPECT_NE(doubts_of(analysis, {}).find("50 % of the time is in steps that the runtime does not open"),
            std::string::npos);
  analysis.nodes[0].kernels = 3;  // which tell
  EXPECT_EQ(doubts_of(analysis, {}), "");
}

TEST_F(AttentionInParts, WorkOfAStepThatNobodyKnowsIsUnknown) {
  const Analysis analysis = analyse_program({step("Foreign", {}, {}), step("Transpose", {}, {"Transpose"})});
  EXPECT_EQ(analysis.total.without_flops(), 1);  // moving elements is no arithmetic
  EXPECT_TRUE(std::isnan(analysis.nodes[0].cost.flops));
}

TEST_F(AttentionInParts, CountsEachPartInItsGroup) {
  const std::vector<Group> expected = {Group::kArithmetic, Group::kMemoryMovement, Group::kGemm,
                                       Group::kArithmetic, Group::kLogit,          Group::kGemm,
                                       Group::kArithmetic};
  const std::vector<RuntimeNode> steps = {step("Mul", {attention_}, {"Mul"}),
                                          step("Transpose", {attention_}, {"Transpose"}),
                                          step("MatMul", {attention_}, {"MatMul"}),
                                          step("Where", {attention_}, {"Where"}),
                                          step("Softmax", {attention_}, {"Softmax"}),
                                          step("MatMul", {attention_}, {"MatMul"}),
                                          step("Add", {sum_}, {"Add"})};
  EXPECT_EQ(groups(steps), expected);
  const Analysis analysis = analyse_program(steps);
  EXPECT_DOUBLE_EQ(analysis.gemm_s, 2e-3);
  EXPECT_DOUBLE_EQ(analysis.nongemm_s, 5e-3);
  EXPECT_EQ(analysis.nodes[4].variant, "Softmax");
}

TEST_F(AttentionInParts, AProductTakesTheScaleItRunsWith) {
  EXPECT_EQ(groups({step("FusedMatMul", {attention_}, {"MatMul", "Mul", "Transpose"}),
                    step("BiasSoftmax", {attention_}, {"Add", "Softmax"}), step("MatMul", {attention_}, {"MatMul"}),
                    step("Add", {sum_}, {"Add"})}),
            (std::vector<Group>{Group::kGemm, Group::kLogit, Group::kGemm, Group::kArithmetic}));
}

TEST_F(AttentionInParts, PutTogetherAgainItIsAttention) {
  const std::vector<RuntimeNode> steps = {
      step("Attention", {attention_}, {"MatMul", "Mul", "Softmax", "Transpose", "Where"}),
      step("Add", {sum_}, {"Add"})};
  EXPECT_EQ(groups(steps), (std::vector<Group>{Group::kAttention, Group::kArithmetic}));
  // A runtime that tells no operators is taken at its word.
  EXPECT_EQ(groups({step("mha", {attention_}, {}), step("Add", {sum_}, {})}),
            (std::vector<Group>{Group::kAttention, Group::kArithmetic}));
}

TEST_F(AttentionInParts, WhatRunsWithAPartOfItIsNotFusedIntoGemm) {
  const std::vector<RuntimeNode> steps = {
      step("MatMul", {attention_}, {"MatMul", "Mul", "Softmax", "Transpose", "Where"}),
      step("Add", {attention_, sum_}, {"Add", "Mul"})};
  const Analysis analysis = analyse_program(steps);
  EXPECT_EQ(analysis.nodes[1].group, Group::kArithmetic);
  const FusionAnalysis fusion = analyse_fusion(RuntimeProgram{steps, {}}, analysis, {});
  EXPECT_EQ(fusion.fused_into_gemm, 0);
  EXPECT_EQ(fusion.fused_among_nongemm, 1);
}

/// A kernel inside a block that names no node, but what it does.
TEST_F(AttentionInParts, AStepOfNoNodeHasTheGroupOfItsOperator) {
  EXPECT_EQ(groups({step("Myelin kernel", {}, {"MatMul"}), step("Myelin kernel", {}, {"Softmax"}),
                    step("Myelin kernel", {}, {"Slice"}), step("Myelin kernel", {}, {}),
                    step("Myelin kernel", {}, {"NoSuchOperator"})}),
            (std::vector<Group>{Group::kGemm, Group::kLogit, Group::kMemoryMovement, Group::kOther, Group::kOther}));
}

TEST_F(AttentionInParts, WhatIsLeftOfABlockIsNotItsOperator) {
  RuntimeNode block = step("Myelin", {}, {"MatMul"});
  block.role = RuntimeRole::kOther;
  EXPECT_EQ(groups({block}), (std::vector<Group>{Group::kOther}));
}

/// The work of a product is that of the steps that multiply, whole.
TEST_F(AttentionInParts, WorkStaysWithTheProducts) {
  const std::vector<RuntimeNode> steps = {
      step("Transpose", {attention_}, {"Transpose"}),       step("MatMul", {attention_}, {"MatMul"}),
      step("Softmax", {attention_}, {"Softmax"}),           step("FusedMatMul", {attention_}, {"MatMul", "Mul"}),
      step("Reshape", {attention_}, {"MatMul", "Reshape"}), step("Add", {sum_}, {"Add"})};
  const Analysis analysis = analyse_program(steps);
  const double whole = analysis.graph_nodes[attention_].cost.flops;
  ASSERT_GT(whole, 0);
  EXPECT_DOUBLE_EQ(analysis.nodes[1].cost.flops, whole / 2);
  EXPECT_DOUBLE_EQ(analysis.nodes[3].cost.flops, whole / 2);
  EXPECT_EQ(analysis.nodes[0].cost.flops, 0);
  EXPECT_TRUE(std::isnan(analysis.nodes[2].cost.flops)) << "not told apart";
  EXPECT_EQ(analysis.nodes[4].group, Group::kMemoryLayout) << "by its own type, whatever it is said to cover";
  EXPECT_EQ(analysis.nodes[4].cost.flops, 0);
}

}  // namespace
}  // namespace nongemm
