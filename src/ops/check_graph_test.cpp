#include "ops/check_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/error.h"
#include "graph/graph_json.h"
#include "ops/builder.h"
#include "ops/memory.h"

namespace nongemm {
namespace {

/// x [2, 3] -> linear -> add a number -> split -> cat with an empty constant
Graph small_graph() {
  Builder b("small", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {2, 3}, {});
  const auto scope = b.scope("fc", "Linear");
  const Tensor weight = b.parameter("weight", {4, 3}, InitSpec::normal(0, 0.02));
  b.tie(weight, "other.weight");
  const Tensor y = b.call("aten.linear.default", {x, weight});
  const Tensor z = b.call("aten.add.Tensor", {y, -std::numeric_limits<double>::infinity()});
  const std::vector<Tensor> halves = b.call_all("aten.split.Tensor", {z, 2, 1});
  const Tensor empty = b.host_constant(HostTensor::from<float>(DType::kFloat32, {0}, {}));
  b.output("out", b.call("aten.cat.default", {std::vector<Tensor>{empty, halves[0], halves[1]}, -1}));
  return b.finish();
}

TEST(Builder, InfersTypesAsItGoes) {
  const Graph graph = small_graph();
  EXPECT_EQ(graph.values[graph.outputs[0].value].type.shape, (Shape{2, 4}));
  EXPECT_EQ(graph.nodes.size(), 4U);
  EXPECT_TRUE(graph.values[graph.nodes[2].outputs[1]].type.alias);
  EXPECT_EQ(graph.scope_path(graph.nodes[0].scope), "fc");
  EXPECT_EQ(graph.weights[0].name, "fc.weight");
}

TEST(Builder, NamesOperatorShapesAndModuleOfAMisfit) {
  Builder b("small", DType::kFloat32);
  const auto scope = b.scope("fc", "Linear");
  const Tensor x = b.input("x", DType::kFloat32, {2, 3}, {});
  const Tensor weight = b.parameter("weight", {4, 5}, {});
  try {
    b.call("aten.linear.default", {x, weight});
    FAIL();
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part : {"aten.linear.default", "[2, 3]", "[4, 5]", "in fc"}) {
      EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  }
  EXPECT_THROW(b.call("aten.linear.default", {x}), Error);
  EXPECT_THROW(b.call("aten.linear.default", {x, weight}, {{"nothing", 1}}), Error);
  EXPECT_THROW(b.call("aten.transpose.int", {x, "a", 1}), Error);
}

TEST(Builder, LooksForNoSizeInATensorWithoutDimensions) {
  Builder b("small", DType::kFloat32);
  const Tensor x = b.input("x", DType::kFloat32, {}, {});
  EXPECT_EQ(b.call("aten.transpose.int", {x, 0, -1}).rank(), 0);
  EXPECT_EQ(b.call("aten.flatten.using_ints", {x, 0, -1}).shape(), Shape{1});
  EXPECT_THROW(x.size(0), Error);
  EXPECT_THROW(b.call("aten.select.int", {x, 0, 0}), Error);
  EXPECT_THROW(b.call("aten.slice.Tensor", {x, 0, 0, 1, 1}), Error);
  EXPECT_THROW(b.call("aten.narrow.default", {x, 0, 0, 1}), Error);
  EXPECT_THROW(b.call_all("aten.split.Tensor", {x, 1, 0}), Error);
  EXPECT_THROW(b.call_all("aten.chunk.default", {x, 1, 0}), Error);
  EXPECT_THROW(b.call_all("aten.unbind.int", {x, 0}), Error);
  EXPECT_THROW(b.call("aten.cat.default", {std::vector<Tensor>{x, x}, 0}), Error);
}

/// Files state shapes as they like: what an operator lacks is an error of the rule that looks for it.
TEST(Rules, MissDimensionsWithAnError) {
  Builder b("misfit", DType::kFloat32);
  int inputs = 0;
  const auto x = [&](const Shape& shape) { return b.input(std::to_string(inputs++), DType::kFloat32, shape, {}); };
  const auto fails = [&](std::string_view op, std::initializer_list<Arg> arguments) {
    EXPECT_THROW(b.call(op, arguments), Error) << op << ", inputs up to " << inputs;
  };
  fails("aten.linear.default", {x({}), x({4, 3})});
  fails("aten.linear.default", {x({2, 3}), x({})});
  fails("aten.addmm.default", {x({4}), x({2}), x({3, 4})});
  fails("aten.addmm.default", {x({4}), x({2, 3}), x({3})});
  fails("aten.conv2d.default", {x({1, 3, 8, 8}), x({4})});
  fails("aten.conv2d.default", {x({1, 3, 8, 8}), x({4, 3, 2, 2}), kNone, Shape{0, 0}});
  fails("aten.conv2d.default", {x({1, 3, 8, 8}), x({4, 3, 2, 2}), kNone, Shape{1, 1, 1}});
  fails("aten.scaled_dot_product_attention.default", {x({}), x({4, 8}), x({4, 8})});
  fails("aten.scaled_dot_product_attention.default", {x({4, 8}), x({4, 8}), x({})});
  fails("aten.embedding.default", {x({}), x({5})});
  fails("aten.upsample_nearest2d.default", {x({1, 3}), Shape{4, 4}});
  fails("aten.max_pool2d.default", {x({8}), Shape{1, 1}});
  fails("aten.max_pool2d.default", {x({8, 8}), Shape{1, 1}, Shape{0, 0}});
  fails("aten.max_pool2d.default", {x({8, 8}), Shape{1, 1, 1}});
  fails("aten.adaptive_avg_pool2d.default", {x({8}), Shape{1, 1}});
  fails("aten.expand.default", {x({2, 3}), Shape{3}});
}

TEST(Verify, FindsNothingInASoundGraph) { EXPECT_THAT(problems_of(small_graph()), testing::IsEmpty()); }

TEST(Verify, FindsEachKindOfFault) {
  const auto problem = [](auto&& damage) {
    Graph graph = small_graph();
    damage(graph);
    const std::vector<std::string> problems = problems_of(graph);
    return problems.empty() ? std::string("none") : problems.front();
  };
  EXPECT_NE(problem([](Graph& g) { std::swap(g.blocks[0].nodes[0], g.blocks[0].nodes[1]); }).find("before its"),
            std::string::npos);
  EXPECT_NE(problem([](Graph& g) { g.nodes[1].op = "aten.nothing.default"; }).find("not in the table"),
            std::string::npos);
  EXPECT_NE(problem([](Graph& g) { g.nodes[1].args.pop_back(); }).find("arguments"), std::string::npos);
  EXPECT_NE(problem([](Graph& g) { g.nodes[0].args[0] = std::string("x"); }).find("wrong kind"), std::string::npos);
  EXPECT_NE(problem([](Graph& g) { g.values[g.nodes[0].outputs[0]].type.shape = {7}; }).find("stated as"),
            std::string::npos);
  EXPECT_NE(problem([](Graph& g) { g.nodes[1].outputs = g.nodes[0].outputs; }).find("once more"), std::string::npos);
}

TEST(GraphJson, ComesBackAsItWas) {
  Graph graph = small_graph();
  for (const std::int64_t peaks : {0, 2}) {
    graph.weights[0].init.peaks = peaks;
    graph.weights[0].init.every = peaks == 0 ? 1 : 5;
    const std::string text = to_json(graph);
    const Graph back = graph_from_json(text, "test");
    EXPECT_EQ(to_json(back), text);
    EXPECT_EQ(back.weights[0].init, graph.weights[0].init);
    EXPECT_THAT(problems_of(back), testing::IsEmpty());
  }
}

TEST(GraphJson, RefusesDamage) {
  const std::string text = to_json(small_graph());
  EXPECT_THROW(graph_from_json(text.substr(0, text.size() / 2), "test"), Error);
  EXPECT_THROW(graph_from_json("{}", "test"), Error);
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string damaged = text;
    damaged.replace(damaged.find(from), from.size(), to);
    return damaged;
  };
  EXPECT_THROW(graph_from_json(replaced("\"value\": 0", "\"value\": 999"), "test"), Error);
  EXPECT_THROW(graph_from_json(replaced("\"value\": 0", "\"value\": -1"), "test"), Error);
  EXPECT_THROW(graph_from_json(
                   replaced("\"buffer\": false", "\"buffer\": false, \"peaks\": 1, \"every\": 0, \"peak\": 2"), "test"),
               Error);
  EXPECT_THROW(graph_from_json(
                   replaced("\"dtype\": \"float32\",\n   \"shape\"", "\"dtype\": \"float31\",\n   \"shape\""), "test"),
               Error);
}

TEST(Memory, CountsStoragesUntilTheirLastUse) {
  const MemoryEstimate estimate = estimate_memory(small_graph());
  EXPECT_EQ(estimate.weights, 4 * 3 * 4);
  // The sum's storage (2 x 4) lives on in its halves while the concatenation is made.
  EXPECT_EQ(estimate.activations, 2 * (2 * 4 * 4));
}

}  // namespace
}  // namespace nongemm
