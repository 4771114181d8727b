// Engines that TensorRT 8.6.0 built of whole models on an H100 (fp16, optimization level 0): their layers, the ranges
// that they announced in one inference, and the kernels' time in each. What runs inside Myelin's blocks must be found.
// Of bert in int8 (an H200) the ranges and times alone: all of it is one block.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lowering/lower.h"
#include "lowering/simplify.h"
#include "onnx/names.h"
#include "passes/quantize.h"
#include "prepare/model.h"
#include "programs/tensorrt/blocks.h"
#include "programs/tensorrt/engine_map.h"
#include "programs/tensorrt/lowered_nodes.h"
#include "traces/tensorrt/layers.h"
#include "weights/synthetic.h"
#include "weights/weight_spec.h"

namespace nongemm {
namespace {

struct Recorded {
  std::string layers;
  std::vector<std::string> ranges;
  std::map<std::string, double> time_us;
};

Recorded read(const std::string& model) {
  std::ifstream file(std::string(NONGEMM_TENSORRT_DATA) + "/" + model + ".json");
  const nlohmann::json content = nlohmann::json::parse(file);
  Recorded recorded{content.value("layers", ""), {}, {}};
  for (const nlohmann::json& range : content.at("ranges")) {
    recorded.ranges.push_back(range.at(0));
    recorded.time_us[range.at(0)] += range.at(1).get<double>();
  }
  return recorded;
}

class Engines : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    graph_ = build_graph(find_model(GetParam()), {.batch = 1, .dtype = DType::kFloat16, .device = DeviceKind::kCuda});
    onnx::LoweredModel lowered = onnx::lower_to_onnx(graph_, {.opset = 17});
    onnx::simplify(lowered.model, graph_, [specs = weights::weight_specs(graph_)](std::size_t weight) {
      return weights::synthesize(specs[weight], /*seed=*/0);
    });
    const traces::OnnxNodes model = traces::nodes_of(lowered.model);
    std::vector<std::vector<NodeId>> graph_nodes;
    for (const traces::OnnxNode& node : model.nodes) graph_nodes.push_back(onnx::graph_nodes_in(node.name));
    const traces::TensorRtEngine engine = traces::parse_tensorrt_layers(recorded_.layers, GetParam());
    layers_ = traces::program_of(engine, traces::map_engine(engine, model), graph_nodes, graph_.nodes.size());
  }

  const Recorded recorded_ = read(GetParam());
  Graph graph_;
  RuntimeProgram layers_;
};

TEST_P(Engines, NearlyAllTimeIsMapped) {
  const RuntimeProgram program = tensorrt::with_ranges(graph_, layers_, recorded_.ranges);
  double own_us = 0;
  double mapped_us = 0;
  double products_us = 0;
  for (const RuntimeNode& step : program.nodes) {
    const auto time = recorded_.time_us.find(step.name);
    if (step.role != RuntimeRole::kCompute || time == recorded_.time_us.end()) continue;
    own_us += time->second;
    if (!step.covers.empty()) mapped_us += time->second;
    if (step.name.starts_with("fc_")) products_us += step.covers.empty() ? time->second : 0;
  }
  EXPECT_GT(own_us, 500);
  EXPECT_GE(mapped_us / own_us, 0.98);
  EXPECT_EQ(products_us, 0) << "in products of unknown nodes";
}

/// Streams of their own run blocks in other orders than that of the layers.
TEST_P(Engines, OrderOfTheBlocksDoesNotMatter) {
  std::vector<std::vector<std::string>> parts(1);
  for (const std::string& range : recorded_.ranges) {
    const bool layer = std::any_of(layers_.nodes.begin(), layers_.nodes.end(),
                                   [&](const RuntimeNode& step) { return step.name == range; });
    if (layer) parts.emplace_back();
    parts.back().push_back(range);
  }
  std::vector<std::string> reversed;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part)
    reversed.insert(reversed.end(), part->begin(), part->end());
  const RuntimeProgram one = tensorrt::with_ranges(graph_, layers_, recorded_.ranges);
  const RuntimeProgram other = tensorrt::with_ranges(graph_, layers_, reversed);
  ASSERT_EQ(one.nodes.size(), other.nodes.size());
  for (std::size_t i = 0; i < one.nodes.size(); ++i) {
    EXPECT_EQ(one.nodes[i].name, other.nodes[i].name);
    EXPECT_EQ(one.nodes[i].covers, other.nodes[i].covers) << one.nodes[i].name;
  }
}

/// Nodes that an output needs: an engine has no others.
std::vector<NodeId> needed_nodes(const Graph& graph) {
  std::vector<bool> needed(graph.nodes.size(), false);
  const auto need = [&](ValueId value) {
    if (graph.values[value].producer != kNoId) needed[graph.values[value].producer] = true;
  };
  for (const Output& output : graph.outputs) need(output.value);
  std::vector<NodeId> nodes;
  for (NodeId node = static_cast<NodeId>(graph.nodes.size()); node-- > 0;) {
    if (!needed[node]) continue;
    nodes.push_back(node);
    for (const Argument& argument : graph.nodes[node].args) for_each_use(argument, need);
  }
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

/// A product in int8 is a range without a name, its scales are in the kernel of what follows.
TEST(Int8Engine, EveryProductIsFoundOnce) {
  const Recorded recorded = read("bert-w8a8");
  const Graph plain =
      build_graph(find_model("bert"), {.batch = 1, .dtype = DType::kFloat16, .device = DeviceKind::kCuda});
  passes::InputSteps steps;
  for (const Weight& weight : plain.weights) steps[weight.name] = 0.05;
  const Graph graph = passes::quantize(plain, {.scheme = QuantizeScheme::kW8a8}, steps);
  const auto op_of = [&](NodeId node) -> const std::string& { return graph.nodes[node].op; };
  RuntimeNode block;
  block.name = recorded.ranges.front();
  block.opaque = true;
  block.covers = needed_nodes(graph);

  const RuntimeProgram program = tensorrt::with_ranges(graph, {{block}, {}}, recorded.ranges);
  std::map<NodeId, int> products;
  std::size_t activations = 0;
  std::size_t softmaxes = 0;
  std::vector<std::string> without_node;
  for (const RuntimeNode& step : program.nodes) {
    if (step.type != "Myelin kernel") continue;
    if (step.covers.empty()) without_node.push_back(step.name);
    if (step.name.starts_with("maxred")) {
      ++softmaxes;
      ASSERT_EQ(step.covers.size(), 1U) << step.name;
      EXPECT_EQ(op_of(step.covers.front()), "aten.scaled_dot_product_attention.default");
      EXPECT_EQ(step.operators, std::vector<std::string>{"Softmax"});
    }
    for (const NodeId node : step.covers) {
      if (op_of(node) == "nongemm.int8_linear.default") {
        EXPECT_TRUE(step.name.ends_with("_fc") || step.name.starts_with("fc__")) << step.name;
        ++products[node];
      }
      if (op_of(node) == "aten.gelu.default") ++activations;
    }
  }
  const auto is_int8 = [](const Node& node) { return node.op == "nongemm.int8_linear.default"; };
  EXPECT_EQ(products.size(), static_cast<std::size_t>(std::count_if(graph.nodes.begin(), graph.nodes.end(), is_int8)));
  for (const auto& [node, times] : products) EXPECT_EQ(times, 1) << node;
  EXPECT_EQ(softmaxes, 12U);
  EXPECT_EQ(activations, 13U) << "of twelve layers and the head";
  EXPECT_EQ(without_node, std::vector<std::string>{"logits' castToActType"});
}

INSTANTIATE_TEST_SUITE_P(Recorded, Engines, testing::Values("bert", "detr", "segformer", "swin-t"),
                         [](const auto& info) { return std::string(info.param).substr(0, 4); });

}  // namespace
}  // namespace nongemm
