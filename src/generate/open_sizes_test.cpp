#include "generate/open_sizes.h"

#include <gtest/gtest.h>

#include "graph/state.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

/// A cache that is one row longer in every step, and numbers that say how long it is.
Graph build(std::int64_t step) {
  Builder b("growing", DType::kFloat32);
  const Tensor past = b.input(std::string(kPast) + "rows", DType::kFloat32, {2, 10 + step}, {});
  const Tensor added = b.call("aten.new_ones.default", {past, Shape{2, 1}});
  const Tensor rows = b.call("aten.cat.default", {std::vector<Tensor>{past, added}, -1});
  const Tensor counted = b.call("aten.arange.default", {11 + step});
  b.output(std::string(kPresent) + "rows", rows);
  b.output("sum", b.call("aten.add.Tensor", {rows, counted}));
  b.output("doubled", b.call("aten.expand.default", {counted, Shape{2, 11 + step}}));
  b.output("steps", b.call("aten.add.Tensor", {counted, 3 * step}));
  return b.finish();
}

class OpenSizes : public testing::Test {
 protected:
  OpenSizes() : growing_(growing_graph(build, 1, 9)), open_(open_sizes(growing_, build(9))) {}

  GrowingGraph growing_;
  OpenGraph open_;
};

TEST_F(OpenSizes, AreInputsBehindTheOthersEachOnce) {
  const Graph& graph = *open_.graph;
  ASSERT_EQ(growing_.last, 9);
  ASSERT_EQ(open_.sizes.size(), 2U);  // 11 + step in two places, and 3 x step
  ASSERT_EQ(graph.inputs.size(), 3U);
  EXPECT_EQ(graph.inputs[0].name, "past.rows");
  EXPECT_EQ(graph.inputs[1].name, "size.0");
  EXPECT_EQ(graph.values[graph.inputs[1].value].type.kind, Type::Kind::kInt);
  EXPECT_EQ(open_.sizes[0], (GrowingSize{.value = 12, .slope = 1}));
  EXPECT_EQ(open_.sizes[1], (GrowingSize{.value = 3, .slope = 3}));
}

TEST_F(OpenSizes, NodesKeepTheirNumbers) {
  const Graph& graph = *open_.graph;
  ASSERT_EQ(graph.nodes.size(), growing_.graph->nodes.size());
  for (NodeId id = 0; id < graph.nodes.size(); ++id)
    EXPECT_EQ(graph.nodes[id].outputs, growing_.graph->nodes[id].outputs);
}

TEST_F(OpenSizes, AreTheLaterGraphsArguments) {
  const std::vector<std::int64_t> sizes = sizes_at(open_, 6);
  const Graph later = build(7);
  const auto size_of = [&](ValueId value) {
    for (std::size_t i = 1; i < open_.graph->inputs.size(); ++i) {
      if (open_.graph->inputs[i].value == value) return sizes.at(i - 1);
    }
    return std::int64_t{-1};
  };
  for (const Growth& grown : growing_.growth) {
    const Argument& ours = open_.graph->nodes[grown.node].args[grown.position];
    const Argument& theirs = later.nodes[grown.node].args[grown.position];
    if (grown.element == kNoId) {
      EXPECT_EQ(size_of(std::get<Use>(ours).value), std::get<std::int64_t>(theirs));
    } else {
      EXPECT_EQ(size_of(std::get<std::vector<Int>>(ours)[grown.element].ref),
                std::get<std::vector<Int>>(theirs)[grown.element].value);
    }
  }
}

TEST_F(OpenSizes, SizesThatGrowAreUnknown) {
  const Graph& graph = *open_.graph;
  EXPECT_EQ(graph.values[graph.inputs[0].value].type.shape, (Shape{2, kDynamic}));
  for (const Output& output : graph.outputs) {
    const Shape& shape = graph.values[output.value].type.shape;
    EXPECT_EQ(shape.back(), kDynamic) << output.name;
    EXPECT_EQ(shape.front(), shape.size() == 2 ? 2 : kDynamic) << output.name;
  }
}

}  // namespace
}  // namespace nongemm
