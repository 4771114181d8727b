// Ranges as TensorRT 8.6 announced them.
#include "programs/tensorrt/blocks.h"

#include <gmock/gmock.h>

namespace nongemm::tensorrt {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RuntimeNode step(std::string name, std::vector<NodeId> covers, bool opaque) {
  RuntimeNode node;
  node.name = std::move(name);
  node.type = opaque ? "Myelin" : "CaskConvolution";
  node.covers = std::move(covers);
  node.opaque = opaque;
  return node;
}

/// A chain in which each node uses the one before.
Graph chain(const std::vector<std::string>& ops) {
  Graph graph;
  for (NodeId i = 0; i < ops.size(); ++i) {
    Node node{ops[i], {}, {i}, kRootScope, {}, {}};
    if (i > 0) node.args.emplace_back(Use{i - 1});
    graph.nodes.push_back(std::move(node));
    graph.values.push_back({Type(), i});
  }
  return graph;
}

const std::string kAdd = "aten.add.Tensor";
const std::string kProduct = "aten.mm.default";

TEST(Blocks, KernelsBecomeSteps) {
  const RuntimeProgram program{{step("n0/aten.conv2d", {0}, false), step("{ForeignNode[a...b]}", {1, 2, 3, 4}, true)},
                               {7}};
  const RuntimeProgram result =
      with_ranges(chain({kAdd, kAdd, kAdd, kAdd, kAdd}), program,
                  {"fc__before_any", "n0/aten.conv2d", "n1/model_layers_0/aten_add+sr_pow+n2/norm/aten_mean",
                   "fc__mye11081", "$$myelin$$n3/act/aten_silu^__aw_Neg1"});
  ASSERT_EQ(result.nodes.size(), 5U);
  EXPECT_EQ(result.nodes[0].name, "n0/aten.conv2d");
  EXPECT_THAT(result.nodes[1].covers, ElementsAre(4));  // what no kernel mentions
  EXPECT_TRUE(result.nodes[1].opaque);
  EXPECT_THAT(result.nodes[2].covers, ElementsAre(1, 2));
  EXPECT_FALSE(result.nodes[2].opaque);
  EXPECT_THAT(result.nodes[3].covers, IsEmpty());  // a product, and no product is left
  EXPECT_TRUE(result.nodes[3].opaque);
  EXPECT_THAT(result.nodes[4].covers, ElementsAre(3));
  EXPECT_THAT(result.folded, ElementsAre(7));
}

TEST(Blocks, NamelessKernelsCoverWhatCanHaveRunAtTheirPlace) {
  // 0 add, 1 mm, 2 add, 3 mm, 4 mul, 5 mm, 6 add
  const Graph graph = chain({kAdd, kProduct, kAdd, kProduct, "aten.mul.Tensor", kProduct, kAdd});
  // The block begins first, and the copy for node 6 runs before all of them.
  const RuntimeProgram program{{step("{ForeignNode[a...n6//aten_add]}", {0, 1, 2, 3, 4, 5, 6}, true),
                                step("Reformatting CopyNode for Input Tensor 0 to n6//aten_add", {}, false)},
                               {}};
  const RuntimeProgram result = with_ranges(
      graph, program,
      {"n0//aten_add", "fc__mye1", "n2//aten_add", "fc__mye2", "post_xpos__mye3", "n5//aten_mm", "n6//aten_add"});
  ASSERT_EQ(result.nodes.size(), 9U);
  EXPECT_THAT(result.nodes[0].covers, IsEmpty());
  EXPECT_EQ(result.nodes[0].role, RuntimeRole::kOther);
  EXPECT_THAT(result.nodes[2].covers, ElementsAre(1));
  EXPECT_TRUE(result.nodes[2].opaque) << "known from the dataflow alone";
  EXPECT_THAT(result.nodes[4].covers, ElementsAre(3));
  EXPECT_THAT(result.nodes[5].covers, ElementsAre(4));
}

TEST(Blocks, ThatAreAlikeShareKernels) {
  const Graph graph = chain({kAdd, kProduct, kAdd, kProduct, kAdd, kProduct, kAdd});
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {0, 1, 2}, true), step("n3//aten_mm", {3}, false),
                                step("{ForeignNode[c...d]}", {4, 5, 6}, true)},
                               {}};
  const RuntimeProgram result = with_ranges(
      graph, program,
      {"n0//aten_add", "fc__mye1", "n2//aten_add", "n3//aten_mm", "n4//aten_add", "fc__mye1", "n6//aten_add"});
  ASSERT_EQ(result.nodes.size(), 8U);
  EXPECT_EQ(result.nodes[2].name, "fc__mye1");
  EXPECT_THAT(result.nodes[2].covers, ElementsAre(1, 5)) << "whose times are one";
  EXPECT_EQ(result.nodes[5].role, RuntimeRole::kOther) << "nothing of the second block is left";
}

TEST(Blocks, BeginWithTheirOwnRange) {
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {0, 1}, true), step("{ForeignNode[c...d]}", {2, 3}, true)},
                               {}};
  const RuntimeProgram result = with_ranges(
      chain({kAdd, kAdd, kProduct, kAdd}), program,
      {"{ForeignNode[a...b]}", "n0//aten_add", "n1//aten_add", "{ForeignNode[c...d]}", "fc__mye1", "n3//aten_add"});
  ASSERT_EQ(result.nodes.size(), 6U);
  EXPECT_EQ(result.nodes[4].name, "fc__mye1");
  EXPECT_THAT(result.nodes[4].covers, ElementsAre(2));
}

TEST(Blocks, PartsOfAnOperatorStandForIt) {
  const Graph graph = chain({kAdd, "aten.layer_norm.default", kProduct, kAdd, "aten.layer_norm.default", kProduct});
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {0, 1, 2, 3, 4, 5}, true)}, {}};
  const RuntimeProgram result = with_ranges(
      graph, program,
      {"n0//aten_add+(Unnamed Layer_ 62) [Normalization]_U0_mean", "(Unnamed Layer_ 62) [Normalization]_U0_scaled",
       "n2//aten_mm", "n3//aten_add+(Unnamed Layer_ 91) [Normalization]_U0_mean", "n5//aten_mm"});
  ASSERT_EQ(result.nodes.size(), 6U);
  EXPECT_THAT(result.nodes[1].covers, ElementsAre(0, 1));
  EXPECT_THAT(result.nodes[2].covers, ElementsAre(1));
  EXPECT_THAT(result.nodes[3].covers, ElementsAre(2));
  EXPECT_THAT(result.nodes[4].covers, ElementsAre(3, 4));
  EXPECT_THAT(result.nodes[5].covers, ElementsAre(5));
}

TEST(Blocks, ACastOfAValueIsNotWhereItsNodeRuns) {
  // The residual, node 0, is read again behind the product: the product can still follow at once.
  const Graph graph = chain({kAdd, "nongemm.int8_linear.default", "aten.gelu.default",
                             "nongemm.static_quantize.default", "nongemm.int8_linear.default", kAdd});
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {0, 1, 2, 3, 4, 5}, true)}, {}};
  const RuntimeProgram result =
      with_ranges(graph, program,
                  {"n0//aten_add", "__mye46475_fc", "n1/v49'castToFp16+gelu_div+gelu_erf+n3//nongemm_static_quantize",
                   "__mye46484_fc", "n4//nongemm_int8_linear_7+n0/v2'castToFp16+n5//aten_add"});
  ASSERT_EQ(result.nodes.size(), 6U);
  EXPECT_THAT(result.nodes[1].covers, ElementsAre(0));
  EXPECT_THAT(result.nodes[2].covers, ElementsAre(1));
  EXPECT_THAT(result.nodes[3].covers, ElementsAre(2, 3));
  EXPECT_THAT(result.nodes[4].covers, ElementsAre(4));
  EXPECT_THAT(result.nodes[5].covers, ElementsAre(5)) << "where scales are applied is no product";
}

TEST(Blocks, ScalesByThemselvesAreAMultiplication) {
  const Graph graph = chain({kAdd, "nongemm.int8_linear.default", kAdd});
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {0, 1, 2}, true)}, {}};
  const RuntimeProgram result =
      with_ranges(graph, program, {"n0//aten_add", "__mye7_fc", "n1//nongemm_int8_linear_7", "n2//aten_add"});
  ASSERT_EQ(result.nodes.size(), 5U);
  EXPECT_THAT(result.nodes[2].covers, ElementsAre(1));
  EXPECT_THAT(result.nodes[2].operators, IsEmpty());
  EXPECT_THAT(result.nodes[3].covers, ElementsAre(1));
  EXPECT_THAT(result.nodes[3].operators, ElementsAre("Mul"));
}

TEST(Blocks, AGeluThatIsWrittenOutStandsTogether) {
  // 0 product, 1 to 3 a GELU around a tanh, 4 product, 5 the residual's addition, 6 product
  const Graph graph =
      chain({kProduct, "aten.mul.Tensor", "aten.tanh.default", "aten.mul.Tensor", kProduct, kAdd, kProduct});
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {0, 1, 2, 3, 4, 5, 6}, true)}, {}};
  const RuntimeProgram result =
      with_ranges(graph, program, {"n0//aten_mm", "gelu_mul+gelu_tanh+gelu_mul_2", "fc__mye2", "n6//aten_mm"});
  ASSERT_EQ(result.nodes.size(), 5U);
  EXPECT_THAT(result.nodes[0].covers, ElementsAre(5)) << "the addition behind the next product";
  EXPECT_THAT(result.nodes[2].covers, ElementsAre(1, 2, 3));
  EXPECT_THAT(result.nodes[3].covers, ElementsAre(4));
}

TEST(Blocks, ANodesOwnNameIsNoPart) {
  const Graph graph = chain({kAdd, "aten.gelu.default", kAdd, "aten.gelu.default"});
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {0, 1, 2, 3}, true)}, {}};
  const RuntimeProgram result = with_ranges(graph, program, {"n0//aten_add+n1//aten_gelu_2", "n2//aten_add"});
  EXPECT_THAT(result.nodes[0].covers, ElementsAre(3));
}

TEST(Blocks, ARangeOfNoNodeTellsWhatItDoes) {
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {0, 1}, true)}, {}};
  const RuntimeProgram result =
      with_ranges(chain({kAdd, kAdd}), program,
                  {"n0//aten_add", "__mye7_fc", "maxred+sub+exp__mye8+sum", "post_xpos__mye9", "sr_pow",
                   "split__mye1+post_xpos__mye2", "slice__mye3+logits' castToActType", "n1//aten_add"});
  ASSERT_EQ(result.nodes.size(), 9U);
  EXPECT_THAT(result.nodes[2].operators, ElementsAre("MatMul"));
  EXPECT_THAT(result.nodes[3].operators, ElementsAre("Softmax"));
  EXPECT_THAT(result.nodes[4].operators, ElementsAre("Transpose"));
  EXPECT_THAT(result.nodes[5].operators, IsEmpty());
  EXPECT_THAT(result.nodes[6].operators, ElementsAre("Transpose"));
  EXPECT_THAT(result.nodes[7].operators, ElementsAre("Slice"));
}

TEST(Blocks, WithoutRangesStayOpaque) {
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {1, 2}, true)}, {}};
  const RuntimeProgram result =
      with_ranges(chain({kAdd, kAdd, kAdd}), program, {"ExecutionContext::enqueue", "n9/elsewhere"});
  ASSERT_EQ(result.nodes.size(), 1U);
  EXPECT_TRUE(result.nodes[0].opaque);
  EXPECT_THAT(result.nodes[0].covers, ElementsAre(1, 2));
}

TEST(Blocks, FullyToldBlocksAreNotOpaque) {
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {1}, true)}, {}};
  const RuntimeProgram result = with_ranges(chain({kAdd, kAdd}), program, {"n1/aten_add", "n1/aten_add"});
  ASSERT_EQ(result.nodes.size(), 2U);
  EXPECT_EQ(result.nodes[0].role, RuntimeRole::kOther);
  EXPECT_FALSE(result.nodes[0].opaque);
}

TEST(RangeNames, InOrder) {
  RangeNames names;
  names.push("a");
  names.push("b");
  names.pop();
  EXPECT_THAT(names.names(), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace nongemm::tensorrt
