#include "analysis/analysis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "analysis/liveness.h"
#include "analysis/roofline.h"
#include "prepare/model.h"

namespace nongemm {
namespace {

const Bucket& group(const Analysis& analysis, Group wanted) {
  for (const Bucket& bucket : analysis.groups) {
    if (bucket.group == wanted) return bucket;
  }
  throw std::runtime_error("no such group");
}

/// Every node takes 1 ms, 10 ms are in no node.
Record even_record(const Graph& graph) {
  Record record = record_of(graph);
  record.devices.emplace_back();
  NodePass& pass = record.phases.emplace_back().devices.emplace_back().nodes;
  pass.averaged = 1;
  pass.nodes.resize(graph.nodes.size());
  for (NodeTime& node : pass.nodes) node = {.host_s = 1e-3, .calls = 1};
  pass.outside_s = 10e-3;
  pass.mean_wall_s = static_cast<double>(graph.nodes.size()) * 1e-3 + pass.outside_s;
  return record;
}

TEST(Analysis, StaticFiguresOfGpt2) {
  const Graph graph = build_graph(find_model("gpt2"), {});
  const Analysis analysis = analyse(record_of(graph), {});
  EXPECT_FALSE(analysis.measured);
  EXPECT_EQ(analysis.parameters, 124439808);
  // 12 blocks of 4 linear layers and the head.
  EXPECT_EQ(group(analysis, Group::kGemm).nodes, 12 * 4 + 1);
  // 2 x tokens x (weights of all matrices), and the biases' additions.
  const double matrices = 12 * 12 * 768.0 * 768.0 + 50257.0 * 768.0;
  const double biases = 12 * (3 + 1 + 4 + 1) * 768.0;
  EXPECT_DOUBLE_EQ(group(analysis, Group::kGemm).work.known().flops, 256 * (2 * matrices + biases));
  EXPECT_EQ(group(analysis, Group::kMemoryLayout).work.known().bytes(), 0);
}

/// As imported files have what no rule could make an operator of the table of.
TEST(Analysis, OnnxOperatorsThatStayHaveTheirGroup) {
  Graph graph;
  for (const char* op :
       {"onnx.Transpose.default", "onnx.Reshape.default", "onnx.MatMulInteger.default", "onnx.Fancy.default"}) {
    Node& node = graph.nodes.emplace_back();
    node.op = op;
    node.arg_names = {"none"};
    node.args.emplace_back();
    graph.blocks[kBodyBlock].nodes.push_back(static_cast<NodeId>(graph.nodes.size() - 1));
  }
  const Analysis analysis = analyse(record_of(graph), {});
  EXPECT_EQ(analysis.nodes[0].group, Group::kMemoryLayout);
  EXPECT_EQ(analysis.nodes[0].variant, "Transpose");
  EXPECT_EQ(analysis.nodes[1].group, Group::kMemoryLayout);
  EXPECT_EQ(analysis.nodes[2].group, Group::kGemm);
  EXPECT_EQ(analysis.nodes[3].group, Group::kOther);
  EXPECT_TRUE(std::isnan(analysis.nodes[2].cost.flops));  // nobody said how much it does
}

TEST(Analysis, PartsAddUpToTheWall) {
  const Graph graph = build_graph(find_model("gpt2"), {});
  const Record record = even_record(graph);
  const Analysis analysis = analyse(record, {});
  ASSERT_TRUE(analysis.measured);
  EXPECT_NEAR(analysis.gemm_s + analysis.nongemm_s + analysis.outside_s, analysis.wall_s, 1e-12);
  double shares = 0;
  for (const Bucket& bucket : analysis.groups) shares += bucket.share;
  EXPECT_NEAR(shares + analysis.outside_s / analysis.wall_s, 1.0, 1e-12);
  double operators = 0;
  for (const Bucket& bucket : analysis.operators) operators += bucket.time_s;
  EXPECT_NEAR(operators, analysis.gemm_s + analysis.nongemm_s, 1e-12);
}

TEST(Analysis, AViewThatLaunchedACopyMovedMemory) {
  const Graph graph = build_graph(find_model("gpt2"), {});
  Record record = even_record(graph);
  record.devices[0].is_host = false;
  NodePass& pass = record.phases[0].devices[0].nodes;
  pass.kernel_records = true;
  const Analysis views = analyse(record, {});
  const std::int64_t moved = group(views, Group::kMemoryMovement).nodes;
  const auto view = std::find_if(views.nodes.begin(), views.nodes.end(),
                                 [](const NodeRow& row) { return row.group == Group::kMemoryLayout; });
  pass.nodes[view->id].kernels = 1;
  pass.nodes[view->id].device_s = 1e-3;
  const Analysis copied = analyse(record, {});
  EXPECT_EQ(copied.nodes[view->id].group, Group::kMemoryMovement);
  EXPECT_EQ(group(copied, Group::kMemoryMovement).nodes, moved + 1);
  EXPECT_EQ(group(copied, Group::kMemoryLayout).time_s, 0);
}

TEST(Analysis, ModulesHoldWhatIsInsideThem) {
  const Graph graph = build_graph(find_model("gpt2"), {});
  const Analysis analysis = analyse(even_record(graph), {});
  const auto module = [&](const std::string& path) -> const Bucket& {
    return *std::find_if(analysis.modules.begin(), analysis.modules.end(),
                         [&](const Bucket& bucket) { return bucket.name == path; });
  };
  EXPECT_EQ(analysis.modules.front().name, "");
  EXPECT_EQ(analysis.modules.front().nodes, static_cast<std::int64_t>(graph.nodes.size()));
  EXPECT_EQ(analysis.modules.front().parameters, 124439808);
  EXPECT_EQ(module("transformer.h.3.ln_1").nodes, 1);
  EXPECT_EQ(module("transformer.h.3.ln_1").module, "LayerNorm");
  EXPECT_NEAR(module("transformer.h.3.mlp").time_s, 1e-3 * static_cast<double>(module("transformer.h.3.mlp").nodes),
              1e-12);
  EXPECT_EQ(module("transformer.h").nodes, 12 * module("transformer.h.3").nodes);
}

TEST(Analysis, CallsAreOperatorsByShapes) {
  const Graph graph = build_graph(find_model("gpt2"), {});
  const Analysis analysis = analyse(even_record(graph), {});
  std::int64_t nodes = 0;
  for (const Bucket& call : analysis.calls) nodes += call.nodes;
  EXPECT_EQ(nodes, static_cast<std::int64_t>(graph.nodes.size()));
  const auto norm = std::find_if(analysis.calls.begin(), analysis.calls.end(),
                                 [](const Bucket& call) { return call.group == Group::kNormalization; });
  EXPECT_EQ(norm->nodes, 2 * 12 + 1);
}

/// x [4, 4] -> relu -> view -> add with x and a weight of 100 elements on the side.
TEST(Liveness, ValuesLiveToTheirLastUseAndViewsKeepThemAlive) {
  Graph graph;
  const auto value = [&](Shape shape, NodeId producer, bool alias = false) {
    Value& made = graph.values.emplace_back();
    made.type.dtype = DType::kFloat32;
    made.type.shape = std::move(shape);
    made.type.alias = alias;
    made.producer = producer;
    return static_cast<ValueId>(graph.values.size() - 1);
  };
  const ValueId x = value({4, 4}, kNoId);
  const ValueId weight = value({100}, kNoId);
  const ValueId rectified = value({4, 4}, 0);
  const ValueId view = value({16}, 1, /*alias=*/true);
  const ValueId other = value({2}, 2);
  const ValueId sum = value({16}, 3);
  graph.inputs.push_back({x, "x", {}});
  graph.weights.push_back({weight, "w", {}, {}, false});
  const ValueId last = value({1}, 4);
  const auto node = [&](std::vector<ValueId> operands, ValueId result) {
    Node& made = graph.nodes.emplace_back();
    for (const ValueId id : operands) made.args.emplace_back(Use{id});
    made.outputs = {result};
  };
  node({x}, rectified);
  node({rectified}, view);
  node({x}, other);
  node({view, x}, sum);
  node({x}, last);
  graph.outputs.push_back({sum, "y"});
  const double always = 64 + 400;
  EXPECT_EQ(alive_bytes(graph),
            (std::vector<double>{always + 64, always + 64, always + 64 + 8, always + 64 + 64, always + 64 + 4}));
  graph.values[other].type.shape = {kDynamic};
  const std::vector<double> unknown = alive_bytes(graph);
  EXPECT_EQ(unknown[1], always + 64);
  EXPECT_TRUE(std::isnan(unknown[2]));
  EXPECT_EQ(unknown[3], always + 128);
}

TEST(Analysis, OperatorsStandBesideTheDevicesLimits) {
  Record record = even_record(build_graph(find_model("gpt2"), {}));
  DeviceLimits& limits = record.devices[0].limits.emplace();
  limits.copy_bandwidth = 1e12;
  limits.fp32_rate = 1e12;
  const Analysis analysis = analyse(record, {});
  const Bucket& normalization = group(analysis, Group::kNormalization);
  EXPECT_NEAR(normalization.limit_s, normalization.work.known().bytes() / 1e12,
              1e-12);  // 1000 times slower than it could be
  EXPECT_NEAR(group(analysis, Group::kGemm).limit_s, group(analysis, Group::kGemm).work.known().flops / 1e12, 1e-9);
  EXPECT_EQ(group(analysis, Group::kMemoryLayout).limit_s, 0);
  // Every normalization is above its limit; of the products some are below it: they waste nothing.
  EXPECT_NEAR(normalization.wasted_s, normalization.time_s - normalization.limit_s, 1e-12);
  double wasted = 0;  // of products of 1 ms each
  int below = 0;
  for (const NodeRow& node : analysis.nodes) {
    if (node.group != Group::kGemm) continue;
    wasted += std::max(0.0, 1e-3 - node.cost.flops / 1e12);
    below += node.cost.flops / 1e12 > 1e-3 ? 1 : 0;
  }
  EXPECT_EQ(below, 2 * 12 + 1);  // both of each MLP, and the head
  EXPECT_NEAR(group(analysis, Group::kGemm).wasted_s, wasted, 1e-9);

  const Roofline roofline = make_roofline(analysis, 1.0);
  const WhatIf& at_limit = *std::find_if(roofline.what_if.begin(), roofline.what_if.end(),
                                         [](const WhatIf& row) { return row.what == "Normalization at its limit"; });
  EXPECT_NEAR(at_limit.latency_s, 1.0 - (normalization.time_s - normalization.limit_s) / analysis.wall_s, 1e-12);

  EXPECT_FALSE(products_exceed(analysis, limits));
  double flops = 0;
  for (const Group products : {Group::kGemm, Group::kAttention}) flops += group(analysis, products).work.known().flops;
  const double reached = flops / analysis.gemm_s;
  limits.fp32_rate = reached / 1.05;  // within what two measurements differ by
  EXPECT_FALSE(products_exceed(analysis, limits));
  limits.fp32_rate = reached / 1.2;
  EXPECT_TRUE(products_exceed(analysis, limits));
  limits.fp32_rate.reset();
  EXPECT_FALSE(products_exceed(analysis, limits));

  limits.copy_bandwidth.reset();  // not measured: no figure, not 0
  const Analysis unknown = analyse(record, {});
  EXPECT_TRUE(std::isnan(group(unknown, Group::kNormalization).limit_s));
}

TEST(Analysis, CompositeModulesCountAsOneUnlessAskedByOperator) {
  const Graph graph = build_graph(find_model("gpt2"), {});
  const Record record = even_record(graph);
  const Analysis by_module = analyse(record, {.by_module = true});
  const Analysis by_operator = analyse(record, {.by_module = false});
  // NewGELUActivation is eight operators: four mul, two add, pow, tanh.
  EXPECT_EQ(group(by_module, Group::kActivation).nodes, 12 * 8);
  EXPECT_EQ(group(by_operator, Group::kActivation).nodes, 12);
  EXPECT_EQ(group(by_operator, Group::kArithmetic).nodes, group(by_module, Group::kArithmetic).nodes + 12 * 7);
}

TEST(Analysis, RoutingIsAGroupOfItsOwn) {
  const Graph graph = build_graph(find_model("mixtral-8x7b"), {});
  const Analysis analysis = analyse(even_record(graph), {});
  // The router's seven operators; of the experts', those that sort, move, mask and sum tokens.
  EXPECT_EQ(group(analysis, Group::kRouting).nodes, 32 * (7 + 17));
  // Four projections of attention and two grouped products a layer, the head, the rotary tables' product.
  EXPECT_EQ(group(analysis, Group::kGemm).nodes, 32 * (4 + 2) + 2);
}

TEST(Analysis, AttentionCountsWithGemmUnlessAskedOtherwise) {
  const Graph graph = build_graph(find_model("gpt2"), {});
  const Record record = even_record(graph);
  const Analysis with = analyse(record, {});
  const Analysis without = analyse(record, {.attention_is_gemm = false});
  EXPECT_NEAR(with.gemm_s - without.gemm_s, 12e-3, 1e-12);
}

TEST(Analysis, EveryRegistryModelHasKnownOperatorsOnly) {
  for (const Architecture* architecture : architectures()) {
    for (const ModelRow& row : architecture->models) {
      const Graph graph = build_graph(find_model(std::string(row.name)), {});
      const Analysis analysis = analyse(record_of(graph), {});
      EXPECT_EQ(analysis.parameters, row.parameters) << row.name;
      for (const NodeRow& node : analysis.nodes) EXPECT_NE(node.group, Group::kOther) << row.name << " " << node.op;
    }
  }
}

}  // namespace
}  // namespace nongemm
