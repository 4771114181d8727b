#include "analysis/group_rules.h"

#include <gtest/gtest.h>

#include "analysis/analysis.h"
#include "base/error.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

std::string reason(std::string_view toml) {
  try {
    GroupRules::parse(toml, "groups.toml");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Graph small_graph() {
  Builder b("small", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {2, 4}, {});
  const auto layer = b.scope("layers.0", "Block");
  Tensor y;
  {
    const auto norm = b.scope("norm", "MyRMSNorm");
    y = b.call("aten.mul.Tensor", {x, x});
  }
  y = b.call("aten.add.Tensor", {y, x});
  b.output("y", b.call("aten.relu.default", {y}));
  return b.finish();
}

TEST(GroupRules, TheFirstThatFitsDecides) {
  const GroupRules rules = GroupRules::parse(R"(
    [groups.fused]
    title = "Fused kernels"

    [[assign]]
    module = "*RMSNorm"
    group = "normalization"
    variant = "RMSNorm"

    [[assign]]
    operator = "aten.add.*"
    path = "layers.*"
    group = "fused"

    [[assign]]
    operator = "aten.*"
    path = "encoder.*"
    group = "gemm"
  )",
                                             "groups.toml");
  const Graph graph = small_graph();
  const auto norm = rules.decide(graph, graph.nodes[0]);
  ASSERT_TRUE(norm.has_value());
  EXPECT_EQ(norm->group, Group::kNormalization);
  EXPECT_EQ(norm->variant, "RMSNorm");
  const auto fused = rules.decide(graph, graph.nodes[1]);
  ASSERT_TRUE(fused.has_value());
  EXPECT_EQ(info(fused->group).title, "Fused kernels");
  EXPECT_FALSE(counts_as_gemm(fused->group));
  EXPECT_FALSE(rules.decide(graph, graph.nodes[2]).has_value());
}

TEST(GroupRules, ShowInTheAnalysis) {
  AnalysisOptions options;
  options.rules = std::make_shared<GroupRules>(GroupRules::parse(R"(
    [groups.my-gemm]
    gemm = true
    [[assign]]
    operator = "aten.relu.default"
    group = "my-gemm"
  )",
                                                                 "groups.toml"));
  const Analysis analysis = analyse(record_of(small_graph()), options);
  EXPECT_EQ(info(analysis.nodes.at(2).group).id, "my-gemm");
  EXPECT_TRUE(counts_as_gemm(analysis.nodes.at(2).group));
  EXPECT_EQ(info(analysis.nodes.at(1).group).id, "arithmetic");
}

TEST(GroupRules, ErrorsNameTheLine) {
  EXPECT_NE(reason("[groups.a]\ntitle = 3\n").find("groups.toml:2: 'title' is no text"), std::string::npos);
  EXPECT_NE(reason("\n[[assign]]\noperator = 'x'\ngroup = 'gem'\n").find("groups.toml:4: unknown group 'gem'"),
            std::string::npos);
  EXPECT_NE(reason("[[assign]]\ngroup = 'gemm'\n").find("groups.toml:1: a rule names no operator"), std::string::npos);
  EXPECT_NE(reason("[[assign]]\noperator = 'x'\n").find("groups.toml:1: a rule names no group"), std::string::npos);
  EXPECT_NE(reason("[groups.gemm]\n").find("there is a group 'gemm' already"), std::string::npos);
  EXPECT_NE(reason("[groups.\"My Group\"]\n").find("cannot be a group's name"), std::string::npos);
  EXPECT_NE(reason("[[asign]]\n").find("'asign' is not understood"), std::string::npos);
  EXPECT_NE(reason("x = \n").find("groups.toml:1: "), std::string::npos);
  EXPECT_EQ(reason(""), "");
}

}  // namespace
}  // namespace nongemm
