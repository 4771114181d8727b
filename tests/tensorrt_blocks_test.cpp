// Engines that TensorRT 8.6.0 built of whole models on an H100 (fp16, optimization level 0): their layers, the ranges
// that they announced in one inference, and the kernels' time in each. What runs inside Myelin's blocks must be found.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lowering/lower.h"
#include "lowering/simplify.h"
#include "onnx/names.h"
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
  Recorded recorded{content.at("layers"), {}, {}};
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

INSTANTIATE_TEST_SUITE_P(Recorded, Engines, testing::Values("bert", "detr", "segformer", "swin-t"),
                         [](const auto& info) { return std::string(info.param).substr(0, 4); });

}  // namespace
}  // namespace nongemm
