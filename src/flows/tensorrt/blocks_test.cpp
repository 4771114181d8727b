// Ranges as TensorRT 8.6 announced them.
#include "flows/tensorrt/blocks.h"

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

TEST(Blocks, KernelsBecomeSteps) {
  const RuntimeProgram program{{step("n0/aten.conv2d", {0}, false), step("{ForeignNode[a...b]}", {1, 2, 3, 4}, true)},
                               {7}};
  const RuntimeProgram result =
      with_ranges(program, {"fc__before_any", "n0/aten.conv2d", "n1/model_layers_0/aten_add+sr_pow+n2/norm/aten_mean",
                            "fc__mye11081", "$$myelin$$n3/act/aten_silu^__aw_Neg1"});
  ASSERT_EQ(result.nodes.size(), 5U);
  EXPECT_EQ(result.nodes[0].name, "n0/aten.conv2d");
  EXPECT_THAT(result.nodes[1].covers, ElementsAre(4));  // what no kernel mentions
  EXPECT_TRUE(result.nodes[1].opaque);
  EXPECT_THAT(result.nodes[2].covers, ElementsAre(1, 2));
  EXPECT_FALSE(result.nodes[2].opaque);
  EXPECT_THAT(result.nodes[3].covers, IsEmpty());  // within the block, but nothing more is known
  EXPECT_TRUE(result.nodes[3].opaque);
  EXPECT_THAT(result.nodes[4].covers, ElementsAre(3));
  EXPECT_THAT(result.folded, ElementsAre(7));
}

TEST(Blocks, WithoutRangesStayOpaque) {
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {1, 2}, true)}, {}};
  const RuntimeProgram result = with_ranges(program, {"ExecutionContext::enqueue", "n9/elsewhere"});
  ASSERT_EQ(result.nodes.size(), 1U);
  EXPECT_TRUE(result.nodes[0].opaque);
  EXPECT_THAT(result.nodes[0].covers, ElementsAre(1, 2));
}

TEST(Blocks, FullyToldBlocksAreNotOpaque) {
  const RuntimeProgram program{{step("{ForeignNode[a...b]}", {1}, true)}, {}};
  const RuntimeProgram result = with_ranges(program, {"n1/aten_add", "n1/aten_add"});
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
