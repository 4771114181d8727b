// Which operators are found to belong together, and which are left alone. That the results stay what they were is tried
// by tests/fuse_test.cpp, which runs them.
#include "passes/fuse/fuse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "models/parts/functional.h"
#include "models/parts/rms_norm.h"
#include "ops/builder.h"
#include "ops/check_graph.h"

namespace nongemm {
namespace {

using namespace fn;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr DType kHalf = DType::kFloat16;

Tensor input(Builder& b, const char* name, const Shape& shape) {
  return b.input(name, b.dtype(), shape, {InputKind::Content::kOther, 0});
}

std::vector<std::string> ops_of(const Graph& graph) {
  std::vector<std::string> ops;
  for (const NodeId node : graph.blocks[kBodyBlock].nodes) ops.push_back(graph.nodes[node].op);
  return ops;
}

/// A model of one formula, fused.
Graph fused(FuseKind kind, const std::function<void(Builder&)>& formula, DType dtype = kHalf) {
  Builder b("model", dtype);
  formula(b);
  Graph graph = passes::fuse(b.finish(), kind);
  EXPECT_THAT(problems_of(graph), IsEmpty());
  return graph;
}

std::string refusal(FuseKind kind, const std::function<void(Builder&)>& formula) {
  try {
    fused(kind, formula);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

class RmsNorms : public ::testing::TestWithParam<std::tuple<RmsNorm, DType>> {};

TEST_P(RmsNorms, AreOneOperatorWithTheSumBefore) {
  const auto [style, dtype] = GetParam();
  const Graph graph = fused(
      FuseKind::kNorm,
      [&, style = style](Builder& b) {
        const Tensor x = input(b, "x", {2, 3, 8});
        const Tensor sum = add(x, input(b, "y", {2, 3, 8}));
        const Tensor norm = rms_norm(b, "norm", "RMSNorm", sum, 1e-5, style);
        b.output("both", add(sum, norm));
      },
      dtype);
  EXPECT_THAT(ops_of(graph), ElementsAre("nongemm.add_rms_norm.default", "aten.add.Tensor"));
  const Node& node = graph.nodes[0];
  EXPECT_EQ(node.args[3], Argument(1e-5));
  EXPECT_EQ(node.args[4], Argument(style == RmsNorm::kGemma ? 1.0 : 0.0));
  const bool wide = dtype == kHalf && (style == RmsNorm::kGemma || style == RmsNorm::kGptOss);
  EXPECT_EQ(node.args[5], Argument(wide));
  EXPECT_EQ(graph.attributes.at("fused.norm"), "1");
}

INSTANTIATE_TEST_SUITE_P(OfAllStyles, RmsNorms,
                         ::testing::Combine(::testing::Values(RmsNorm::kLlama, RmsNorm::kGemma, RmsNorm::kGptOss,
                                                              RmsNorm::kT5),
                                            ::testing::Values(kHalf, DType::kFloat32)));

TEST(Fuse, TakesConversionsOfNothingAsExportedProgramsHaveThem) {
  const Graph graph = fused(
      FuseKind::kNorm,
      [](Builder& b) {
        const Tensor x = input(b, "x", {2, 8});
        const Tensor wide = to(add(x, input(b, "y", {2, 8})), DType::kFloat32);  // goes on as the residual
        const Tensor factor = rsqrt(add(mean(pow(wide, 2), -1, true), 1e-5));
        const Tensor norm = to(mul(wide, factor), DType::kFloat32);
        b.output("sum", add(wide, mul(b.parameter("weight", {8}, InitSpec::constant(1)), norm)));
      },
      DType::kFloat32);
  EXPECT_THAT(ops_of(graph), ElementsAre("nongemm.add_rms_norm.default", "aten.to.dtype", "aten.add.Tensor"));
}

TEST(Fuse, LeavesASumOfOtherShapesToItself) {
  const Graph graph = fused(FuseKind::kNorm, [](Builder& b) {
    const Tensor sum = add(input(b, "x", {2, 3, 8}), input(b, "y", {8}));
    b.output("norm", rms_norm(b, "norm", "RMSNorm", sum, 1e-5, RmsNorm::kLlama));
  });
  EXPECT_THAT(ops_of(graph), ElementsAre("aten.add.Tensor", "nongemm.rms_norm.default"));
}

TEST(Fuse, LeavesWhatIsNeededBetween) {
  const auto formula = [](Builder& b) {
    const Tensor x = input(b, "x", {2, 3, 8});
    const Tensor wide = to(x, DType::kFloat32);
    const Tensor factor = rsqrt(add(mean(pow(wide, 2), -1, true), 1e-5));
    b.output("factor", factor);
    const Tensor weight = b.parameter("weight", {8}, InitSpec::constant(1));
    b.output("norm", mul(weight, to(mul(wide, factor), kHalf)));
  };
  EXPECT_THAT(refusal(FuseKind::kNorm, formula), HasSubstr("there is nothing that --fuse norm fits"));
}

TEST(Fuse, LeavesWhatIsWrittenInPlace) {
  const auto formula = [](Builder& b) {
    const Tensor gate = input(b, "gate", {2, 8});
    const Tensor activated = b.call("aten.silu.default", {gate});
    b.call("aten.relu_.default", {gate});
    b.output("gated", mul(activated, input(b, "up", {2, 8})));
  };
  EXPECT_THAT(refusal(FuseKind::kGate, formula), HasSubstr("there is nothing that --fuse gate fits"));
}

TEST(Fuse, FindsGatesOnEitherSide) {
  for (const bool first : {true, false}) {
    const Graph graph = fused(FuseKind::kAll, [&](Builder& b) {
      const Tensor activated = b.call("aten.gelu.default", {input(b, "gate", {2, 8})}, {{"approximate", "tanh"}});
      const Tensor up = input(b, "up", {2, 8});
      b.output("gated", first ? mul(activated, up) : mul(up, activated));
    });
    EXPECT_THAT(ops_of(graph), ElementsAre("nongemm.gated_activation.default"));
    EXPECT_EQ(graph.nodes[0].args[2], Argument(std::string("gelu_tanh")));
  }
}

TEST(Fuse, FindsGelusWhereTheyAreWrittenOut) {
  for (const std::string name : {"gelu_new", "gelu_fast", "gelu_python"}) {
    const Graph graph = fused(FuseKind::kGelu, [&](Builder& b) {
      b.output("y", activation(input(b, "x", {2, 8}), name, "act"));
    });
    EXPECT_THAT(ops_of(graph), ElementsAre("aten.gelu.default")) << name;
    EXPECT_EQ(graph.nodes[0].args[1], Argument(std::string(name == "gelu_python" ? "none" : "tanh")));
  }
}

TEST(Fuse, TakesTheNumbersOfAFormulaSeriously) {
  const auto formula = [](Builder& b) {
    const Tensor x = input(b, "x", {2, 8});
    const Tensor inner = mul(add(x, mul(pow(x, 3.0), 0.05)), 0.7978845608028654);  // not 0.044715
    b.output("y", mul(mul(x, 0.5), add(b.call("aten.tanh.default", {inner}), 1.0)));
  };
  EXPECT_THAT(refusal(FuseKind::kGelu, formula), HasSubstr("there is nothing that --fuse gelu fits"));
}

TEST(Fuse, PutsALayerNormTogetherWithTheSumBefore) {
  const Graph graph = fused(FuseKind::kNorm, [](Builder& b) {
    const Tensor sum = add(input(b, "x", {2, 8}), input(b, "y", {2, 8}));
    const Tensor weight = b.parameter("weight", {8}, InitSpec::constant(1));
    const Tensor bias = b.parameter("bias", {8}, InitSpec::constant(0));
    b.output("norm", b.call("aten.layer_norm.default", {sum, Shape{8}, weight, bias, 1e-6}));
  });
  EXPECT_THAT(ops_of(graph), ElementsAre("nongemm.add_layer_norm.default"));
}

TEST(Fuse, PutsAFrozenBatchNormTogetherThoughItsResultIsWrittenLater) {
  const Graph graph = fused(FuseKind::kFrozenNorm, [](Builder& b) {
    const auto channels = [&](const char* name) {
      return b.call("aten.reshape.default", {b.parameter(name, {4}, InitSpec::constant(1)), Shape{1, -1, 1, 1}});
    };
    const Tensor weight = channels("weight");
    const Tensor bias = channels("bias");
    const Tensor scale = mul(weight, rsqrt(add(channels("running_var"), 1e-5)));
    const Tensor shift = sub(bias, mul(channels("running_mean"), scale));
    b.output("y", relu_(add(mul(input(b, "x", {2, 4, 3, 3}), scale), shift)));
  });
  EXPECT_THAT(ops_of(graph), ElementsAre("aten.batch_norm.default", "aten.relu_.default"));
}

TEST(Fuse, SaysWhatIsNotThere) {
  const auto formula = [](Builder& b) { b.output("y", relu(input(b, "x", {2, 8}))); };
  EXPECT_THAT(refusal(FuseKind::kAll, formula), HasSubstr("model: there is nothing that --fuse fits"));
  EXPECT_EQ(ops_of(fused(FuseKind::kNone, formula)).size(), 1U);
}

}  // namespace
}  // namespace nongemm
