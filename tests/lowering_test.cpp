// Every model that is built in can be expressed in ONNX.
#include <gmock/gmock.h>

#include <set>

#include "lowering/lower.h"
#include "onnx/names.h"
#include "onnx/wire.h"
#include "prepare/model.h"

namespace nongemm {
namespace {

struct Case {
  std::string model;
  ModelOptions options;
  OnnxOptions onnx;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Architecture* architecture : architectures()) {
    for (const ModelRow& row : architecture->models) all.push_back({std::string(row.name), {}, {}});
  }
  // Masks with zeros and the attention that is not the default take other operators.
  for (const char* model : {"gpt2", "bert", "tinyllama-1.1b", "detr"}) {
    all.push_back({model, {.dtype = DType::kBFloat16, .padding = Padding::kPadded}, {.opset = 16}});
    all.push_back({model, {.dtype = DType::kFloat16, .attention = Attention::kEager}, {.decompose = true}});
  }
  all.push_back({"maskrcnn", {.batch = 2}, {.opset = 13}});
  all.push_back({"maskformer", {.attention = Attention::kEager}, {.opset = 20}});
  return all;
}

void add_names(const onnx::GraphDef& graph, std::vector<std::string>& names) {
  for (const onnx::NodeDef& node : graph.nodes) {
    names.push_back(node.name);
    names.insert(names.end(), node.outputs.begin(), node.outputs.end());
    for (const onnx::Attribute& attribute : node.attributes) {
      if (const auto* inner = std::get_if<std::shared_ptr<onnx::GraphDef>>(&attribute.value)) add_names(**inner, names);
    }
  }
}

class Lowers : public testing::TestWithParam<Case> {};

TEST_P(Lowers, Whole) {
  const Graph graph = build_graph(find_model(GetParam().model), GetParam().options);
  EXPECT_THAT(onnx::operators_without_lowering(graph), testing::IsEmpty());
  const onnx::LoweredModel lowered = onnx::lower_to_onnx(graph, GetParam().onnx);
  ASSERT_EQ(lowered.outputs.size(), graph.outputs.size());
  std::vector<std::string> names;
  add_names(lowered.model.graph, names);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (const onnx::NodeDef& node : lowered.model.graph.nodes) {
    EXPECT_EQ(onnx::graph_nodes_in(node.name).size(), 1U) << node.name;
  }
  EXPECT_GT(onnx::serialize(lowered.model).size(), 1000U);
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.model + "_" + std::to_string(info.index);
  for (char& c : name) {
    if (c == '-' || c == '.') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Registry, Lowers, testing::ValuesIn(cases()), name_of_case);

}  // namespace
}  // namespace nongemm
