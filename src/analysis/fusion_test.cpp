#include "analysis/fusion.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/steps.h"
#include "prepare/model.h"

namespace nongemm {
namespace {

/// GPT-2 and a program of its own making: one step per node at first.
class FusionTest : public testing::Test {
 protected:
  FusionTest() : graph_(build_graph(find_model("gpt2"), {.sequence = 8, .attention = Attention::kEager})) {
    for (NodeId id = 0; id < graph_.nodes.size(); ++id) program_.nodes.push_back(step("Step", {id}));
  }

  static RuntimeNode step(const std::string& type, std::vector<NodeId> covers) {
    RuntimeNode node;
    node.name = node.type = type;
    node.covers = std::move(covers);
    return node;
  }

  /// All nodes whose scope begins with `scope` become one step, at the place of the first of them.
  void fuse(const std::string& scope, const std::string& type) {
    RuntimeNode fused = step(type, {});
    std::vector<RuntimeNode> steps;
    for (const RuntimeNode& node : program_.nodes) {
      const bool inside = node.covers.size() == 1 && path(node.covers[0]).starts_with(scope);
      if (inside && fused.covers.empty()) steps.push_back(fused);
      if (inside) fused.covers.push_back(node.covers[0]);
      if (!inside) steps.push_back(node);
    }
    *std::find_if(steps.begin(), steps.end(), [&](const RuntimeNode& node) { return node.name == type; }) = fused;
    program_.nodes = std::move(steps);
  }

  void add(RuntimeRole role, std::uint64_t bytes) {
    program_.nodes.push_back(step("Memcpy", {}));
    program_.nodes.back().role = role;
    program_.nodes.back().bytes = bytes;
  }

  /// Every node or step takes 1 ms.
  static Record measured(const Graph& graph, std::optional<RuntimeProgram> program) {
    Record record = record_of(graph);
    record.devices.emplace_back();
    const std::size_t count = program ? program->nodes.size() : graph.nodes.size();
    record.entries[0].program = std::move(program);
    NodePass& pass = record.phases.emplace_back().devices.emplace_back().nodes;
    pass.averaged = 1;
    pass.nodes.resize(count, {.host_s = 1e-3, .calls = 1});
    pass.mean_wall_s = static_cast<double>(count) * 1e-3;
    return record;
  }

  Analysis analyse_program() { return analyse(measured(graph_, program_), {}); }

  std::string path(NodeId id) const { return graph_.scope_path(graph_.nodes[id].scope); }

  static const NodeRow& step_named(const Analysis& analysis, std::string_view type) {
    return *std::find_if(analysis.nodes.begin(), analysis.nodes.end(),
                         [&](const NodeRow& row) { return row.op == type; });
  }

  Graph graph_;
  RuntimeProgram program_;
};

TEST_F(FusionTest, NodeByNodeNothingIsFused) {
  const Analysis analysis = analyse_program();
  const FusionAnalysis fusion = analyse_fusion(program_, analysis, {});
  EXPECT_EQ(fusion.rate(), 0);
  EXPECT_EQ(fusion.mapped_time, 1);
  EXPECT_EQ(fusion.found_nodes, 1);
  ASSERT_EQ(fusion.patterns.size(), 1);
  EXPECT_EQ(fusion.patterns[0].pattern, FusionPattern::kNone);
}

TEST_F(FusionTest, AnActivationIsAnElementWiseChain) {
  fuse("transformer.h.0.mlp.act", "Gelu");
  const Analysis analysis = analyse_program();
  const NodeRow& gelu = step_named(analysis, "Gelu");
  EXPECT_EQ(gelu.group, Group::kActivation);
  EXPECT_EQ(gelu.variant, "NewGELU");
  EXPECT_EQ(gelu.module, "NewGELUActivation");
  // Eight operators read and write the hidden tensor; one step reads it once and writes it once.
  EXPECT_EQ(gelu.cost.bytes_written, 8 * 3072 * 4);
  EXPECT_LE(gelu.cost.bytes_read, 5.0 * 8 * 3072 * 4);
  const FusionAnalysis fusion = analyse_fusion(program_, analysis, {});
  EXPECT_EQ(fusion.fused_among_nongemm, 8);
  EXPECT_EQ(fusion.patterns.back().pattern, FusionPattern::kElementwiseChain);
  EXPECT_DOUBLE_EQ(fusion.rate(), 8.0 / static_cast<double>(fusion.nongemm_nodes));
}

TEST_F(FusionTest, NodesOfSeveralStepsAreTold) {
  EXPECT_EQ(analyse_fusion(program_, analyse_program(), {}).in_several_steps, 0);
  const auto inner = std::find_if(program_.nodes.begin(), program_.nodes.end(), [&](const RuntimeNode& step) {
    return path(step.covers[0]).starts_with("transformer.h.0.mlp.act");
  });
  const NodeId node = inner->covers[0];
  const auto place = static_cast<std::size_t>(inner - program_.nodes.begin());
  program_.nodes.insert(inner + 1, step("Again", {node, node + 1}));
  const FusionAnalysis fusion = analyse_fusion(program_, analyse_program(), {});
  EXPECT_EQ(fusion.in_several_steps, 2);
  EXPECT_EQ(fusion.program[place].repeated, 0);
  EXPECT_EQ(fusion.program[place + 1].repeated, 1);
  EXPECT_EQ(fusion.program[place + 2].repeated, 1);
  EXPECT_EQ(fusion.nodes[node].steps, 2);
  EXPECT_EQ(fusion.nodes[node].step, place);
}

TEST_F(FusionTest, AStepWithAProductIsGemmAndTakesItsNeighbours) {
  fuse("transformer.h.0.mlp", "FusedMlp");
  const Analysis analysis = analyse_program();
  EXPECT_EQ(step_named(analysis, "FusedMlp").group, Group::kGemm);
  const FusionAnalysis fusion = analyse_fusion(program_, analysis, {});
  EXPECT_EQ(fusion.fused_into_gemm, 8);
  EXPECT_EQ(fusion.fused_among_nongemm, 0);
}

TEST_F(FusionTest, ProductsAroundASoftmaxAreAttention) {
  fuse("transformer.h.0.attn", "Attention");
  const Analysis analysis = analyse_program();
  EXPECT_EQ(step_named(analysis, "Attention").group, Group::kAttention);
  EXPECT_EQ(analyse_fusion(program_, analysis, {}).patterns.back().pattern, FusionPattern::kAttention);
}

TEST_F(FusionTest, CopiesAreCommunicationWithDirectionAndBytes) {
  add(RuntimeRole::kCopyToDevice, 1000);
  add(RuntimeRole::kCopyToHost, 24);
  const Analysis analysis = analyse_program();
  EXPECT_EQ(analysis.nodes.back().group, Group::kCommunication);
  EXPECT_EQ(analysis.nodes.back().variant, "device to host");
  const FusionAnalysis fusion = analyse_fusion(program_, analysis, {});
  EXPECT_EQ(fusion.copies_to_device, 1);
  EXPECT_EQ(fusion.copies_to_host, 1);
  EXPECT_EQ(fusion.copied_bytes, 1024);
  EXPECT_EQ(fusion.added_steps, 2);
  EXPECT_EQ(fusion.mapped_time, 1);  // what was added covers nothing by definition
}

TEST_F(FusionTest, FoldedNodesCountNeitherAsFusedNorAsRun) {
  const FusionAnalysis before = analyse_fusion(program_, analyse_program(), {});
  std::erase_if(program_.nodes, [&](const RuntimeNode& step) {
    const bool first_norm = path(step.covers[0]) == "transformer.h.0.ln_1";
    if (first_norm) program_.folded.push_back(step.covers[0]);
    return first_norm;
  });
  fuse("transformer.h.0.mlp.act", "Gelu");
  const FusionAnalysis fusion = analyse_fusion(program_, analyse_program(), {});
  EXPECT_EQ(fusion.folded_nodes, 1);
  EXPECT_EQ(fusion.nongemm_nodes, before.nongemm_nodes);
  EXPECT_DOUBLE_EQ(fusion.rate(), 8.0 / static_cast<double>(fusion.nongemm_nodes - 1));
}

TEST_F(FusionTest, StepsWithoutNodesAreNotMapped) {
  program_.nodes[0].covers.clear();
  program_.nodes[1].opaque = true;
  const Analysis analysis = analyse_program();
  const FusionAnalysis fusion = analyse_fusion(program_, analysis, {});
  EXPECT_LT(fusion.mapped_time, 1);
  EXPECT_NEAR(fusion.opaque_s, 1e-3, 1e-12);
}

TEST_F(FusionTest, ABaselineGivesTheTimeBefore) {
  Record eager = measured(graph_, std::nullopt);
  for (NodeTime& node : eager.phases[0].devices[0].nodes.nodes) node.host_s = 2e-3;
  const Analysis baseline = analyse(eager, {});
  const Analysis analysis = analyse_program();
  const FusionAnalysis fusion = analyse_fusion(program_, analysis, {}, &baseline);
  ASSERT_TRUE(fusion.baseline_nongemm_s);
  EXPECT_EQ(*fusion.baseline_nongemm_s, baseline.nongemm_s);
  for (const GroupChange& group : fusion.groups) {
    if (group.group == Group::kNormalization) {
      EXPECT_NEAR(group.before_s, 2 * group.after_s, 1e-9);
    }
  }
}

TEST_F(FusionTest, ASplitNodeIsCountedOnce) {
  program_.nodes.push_back(program_.nodes.back());
  const Analysis once = analyse(record_of(graph_), {});
  const Analysis split = analyse_program();
  EXPECT_NEAR(split.total.known().flops, once.total.known().flops, 1.0);
  EXPECT_EQ(analyse_fusion(program_, split, {}).found_nodes, 1);
}

}  // namespace
}  // namespace nongemm
