// Engines that TensorRT 8.6.0 built of whole models on an H100 (fp16, optimization level 0): their layers, the ranges
// that they announced in one inference, and the kernels' time in each. What runs inside Myelin's blocks must be found.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "flows/tensorrt/blocks.h"
#include "models/model.h"
#include "onnx/lower.h"
#include "onnx/names.h"
#include "onnx/simplify.h"
#include "traces/engine_map.h"
#include "traces/lowered_nodes.h"
#include "traces/tensorrt_layers.h"
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

class Engines : public testing::TestWithParam<const char*> {};

TEST_P(Engines, NearlyAllTimeIsMapped) {
  const Graph graph = build_graph(find_model(GetParam()), {.batch = 1, .dtype = DType::kFloat16, .device = "cuda"});
  onnx::LoweredModel lowered = onnx::lower_to_onnx(graph, {.opset = 17});
  onnx::simplify(lowered.model, graph, [specs = weights::weight_specs(graph)](std::size_t weight) {
    return weights::synthesize(specs[weight], /*seed=*/0);
  });
  const traces::OnnxNodes model = traces::nodes_of(lowered.model);
  std::vector<std::vector<NodeId>> graph_nodes;
  for (const traces::OnnxNode& node : model.nodes) graph_nodes.push_back(onnx::graph_nodes_in(node.name));
  const Recorded recorded = read(GetParam());
  const traces::TensorRtEngine engine = traces::parse_tensorrt_layers(recorded.layers, GetParam());
  const RuntimeProgram program = tensorrt::with_ranges(
      graph, traces::program_of(engine, traces::map_engine(engine, model), graph_nodes, graph.nodes.size()),
      recorded.ranges);
  double own_us = 0;
  double mapped_us = 0;
  double products_us = 0;
  for (const RuntimeNode& step : program.nodes) {
    const auto time = recorded.time_us.find(step.name);
    if (step.role != RuntimeRole::kCompute || time == recorded.time_us.end()) continue;
    own_us += time->second;
    if (!step.covers.empty()) mapped_us += time->second;
    if (step.name.starts_with("fc_")) products_us += step.covers.empty() ? time->second : 0;
  }
  EXPECT_GT(own_us, 500);
  EXPECT_GE(mapped_us / own_us, 0.95);
  EXPECT_EQ(products_us, 0) << "in products of unknown nodes";
}

INSTANTIATE_TEST_SUITE_P(Recorded, Engines, testing::Values("bert", "detr", "segformer", "swin-t"),
                         [](const auto& info) { return std::string(info.param).substr(0, 4); });

}  // namespace
}  // namespace nongemm
