#include "programs/tensorrt/engine_map.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <numeric>

#include "base/error.h"
#include "test_paths.h"

namespace nongemm::traces {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::filesystem::path hand_made(const std::string& name) {
  return std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/fixtures/traces/tensorrt" / name;
}

/// conv, relu, then layer_norm as four nodes with a folded constant and a view, whose result is the output.
OnnxNodes convolution_and_norm() {
  return {{{"n0/conv/aten.conv2d", "Conv", {"x", "conv.weight"}, {"n0/v3"}},
           {"n1/act/aten.relu", "Relu", {"n0/v3"}, {"n1/v4"}},
           {"c/shape", "Concat", {"c1", "c2"}, {"shape"}},
           {"n2/norm/aten.layer_norm", "LayerNormalization", {"n1/v4", "norm.weight"}, {"n2/v5"}},
           {"n3/norm/aten.view", "Reshape", {"n2/v5", "shape"}, {"n3/v6"}},
           {"n4/norm/aten.neg", "Neg", {"n3/v6"}, {"n4/v7"}},
           {"n5/norm/aten.mul", "Mul", {"n4/v7", "n1/v4"}, {"y"}}},
          {"conv.weight", "norm.weight", "c1", "c2"},
          {"x"}};
}

EngineLayer layer(std::string name, std::string type, std::vector<std::string> inputs, std::vector<std::string> outputs,
                  std::vector<std::string> onnx_nodes = {}) {
  return {std::move(name), 0, std::move(type), "", std::move(inputs), std::move(outputs), std::move(onnx_nodes)};
}

TEST(EngineMap, OpaqueBlockByItsTensors) {
  const TensorRtEngine engine = read_tensorrt_layers(hand_made("trt8_layers.json"));
  const EngineMap map = map_engine(engine, convolution_and_norm());
  ASSERT_THAT(map.layers, SizeIs(4));
  EXPECT_EQ(map.layers[0].role, RuntimeRole::kReformat);
  EXPECT_THAT(map.layers[0].nodes, IsEmpty());
  EXPECT_THAT(map.layers[1].nodes, ElementsAre(0, 1));
  EXPECT_FALSE(map.layers[1].opaque);
  // What lies between its input and, through the copy behind it, the output; not the constant.
  EXPECT_THAT(map.layers[2].nodes, ElementsAre(3, 4, 5, 6));
  EXPECT_TRUE(map.layers[2].opaque);
  EXPECT_EQ(map.layers[3].role, RuntimeRole::kReformat);
  EXPECT_THAT(map.folded, ElementsAre(2));
}

TEST(EngineMap, NamesAloneWithoutDetails) {
  const TensorRtEngine engine{{layer("n0/conv/aten.conv2d + n1/act/aten.relu", "", {}, {}),
                               layer("{ForeignNode[norm.weight...n4/norm/aten.neg + n5/norm/aten.mul]}", "", {}, {})},
                              {},
                              false};
  const EngineMap map = map_engine(engine, convolution_and_norm());
  EXPECT_THAT(map.layers[0].nodes, ElementsAre(0, 1));
  EXPECT_THAT(map.layers[1].nodes, ElementsAre(3, 4, 5, 6));  // back from the last nodes in its name
  EXPECT_TRUE(map.layers[1].opaque);
}

TEST(EngineMap, NodesThatNoLayerMentionsBelongToTheOneThatNeedsThem) {
  const TensorRtEngine engine{
      {layer("n0/conv/aten.conv2d", "CaskConvolution", {"x"}, {"n1/v4"}, {"n0/conv/aten.conv2d"}),
       layer("norm", "Normalization", {"n1/v4"}, {"n3/v6"}, {"n2/norm/aten.layer_norm"}),
       layer("pwn", "PointWiseV2", {"n3/v6", "n1/v4"}, {"y"}, {"n5/norm/aten.mul"})},
      {},
      true};
  const EngineMap map = map_engine(engine, convolution_and_norm());
  EXPECT_THAT(map.layers[0].nodes, ElementsAre(0, 1));
  EXPECT_THAT(map.layers[1].nodes, ElementsAre(3, 4));
  EXPECT_THAT(map.layers[2].nodes, ElementsAre(5, 6));
}

TEST(EngineMap, BlocksThatComputeANodeTwiceShareIt) {
  const OnnxNodes model{
      {{"a", "Exp", {"x"}, {"t"}}, {"b", "Neg", {"t"}, {"u"}}, {"c", "Abs", {"t"}, {"v"}}}, {}, {"x"}};
  const TensorRtEngine engine{{layer("{ForeignNode[a...b]}", "Myelin", {"x"}, {"u"}),
                               layer("{ForeignNode[(Unnamed Layer* 1)...c]}", "Myelin", {"x"}, {"v"})},
                              {},
                              true};
  const EngineMap map = map_engine(engine, model);
  EXPECT_THAT(map.layers[0].nodes, ElementsAre(0, 1));
  EXPECT_THAT(map.layers[1].nodes, ElementsAre(0, 2));
}

TEST(EngineMap, CopyThatDoesTheWorkOfAView) {
  const OnnxNodes model{{{"view", "Transpose", {"x"}, {"t"}}, {"b", "Neg", {"t"}, {"u"}}}, {}, {"x"}};
  const TensorRtEngine engine{
      {layer("copy", "Reformat", {"x"}, {"t"}), layer("b", "PointWise", {"t"}, {"u"})}, {}, true};
  const EngineMap map = map_engine(engine, model);
  EXPECT_THAT(map.layers[0].nodes, ElementsAre(0));
  EXPECT_EQ(map.layers[0].role, RuntimeRole::kCompute);
}

TEST(EngineMap, CopiesOfAConcatenation) {
  const OnnxNodes model{{{"cat", "Concat", {"a", "b"}, {"c"}}}, {}, {"a", "b"}};
  const TensorRtEngine engine{
      {layer("a copy", "Reformat", {"a"}, {"c"}, {"cat"}), layer("b copy", "Reformat", {"b"}, {"c"})}, {}, true};
  const EngineMap map = map_engine(engine, model);
  EXPECT_THAT(map.layers[0].nodes, ElementsAre(0));
  EXPECT_EQ(map.layers[0].role, RuntimeRole::kCompute);
  EXPECT_FALSE(map.layers[0].opaque);
}

TEST(EngineMap, HouseKeepingCoversNothing) {
  const TensorRtEngine engine = read_tensorrt_layers(hand_made("trt11_layers.json"));
  const EngineMap map = map_engine(engine, {});
  EXPECT_EQ(map.layers[0].role, RuntimeRole::kCompute);  // but covers nothing: not mapped
  EXPECT_EQ(map.layers[1].role, RuntimeRole::kOther);
  EXPECT_EQ(map.layers[2].role, RuntimeRole::kOther);
}

TEST(EngineMap, HostileTensorNames) {
  const TensorRtEngine engine{{layer("a", "Reformat", {"t"}, {"t"}), layer("b", "Reformat", {"u"}, {"v"}),
                               layer("c", "Reformat", {"v"}, {"u"}), layer("d", "", {""}, {"", "y"})},
                              {},
                              true};
  const OnnxNodes model{{{"", "Mul", {"y", ""}, {"y", ""}}, {"", "Mul", {"y"}, {"z"}}}, {}, {}};
  EXPECT_THAT(map_engine(engine, model).layers[3].nodes, ElementsAre(0));
}

TEST(ProgramOfEngine, GraphNodesAndSteps) {
  TensorRtEngine engine = read_tensorrt_layers(hand_made("trt8_layers.json"));
  engine.layers.insert(engine.layers.begin(), layer("w", "Constant", {}, {"w"}));
  const OnnxNodes model = convolution_and_norm();
  // Nodes 0 to 5 of the graph as the names say; node 6 has no ONNX node.
  const std::vector<std::vector<NodeId>> graph_nodes{{0}, {1}, {}, {2}, {3}, {4}, {5}};
  const RuntimeProgram program = program_of(engine, map_engine(engine, model), graph_nodes, 7);
  ASSERT_THAT(program.nodes, SizeIs(4));
  EXPECT_EQ(program.nodes[2].type, "Myelin");
  EXPECT_THAT(program.nodes[2].covers, ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(program.folded, ElementsAre(6));
}

TEST(OnnxNodes, RefusesWhatIsNoModel) {
  EXPECT_THROW(parse_onnx_nodes("", "m.onnx"), Error);
  EXPECT_THROW(parse_onnx_nodes("{\"Layers\": []}", "m.onnx"), Error);
  EXPECT_THROW(parse_onnx_nodes(std::string("\x3a\xff\xff\xff\xff\x0f", 6), "m.onnx"), Error);
}

TEST(OnnxNodes, NodesAndTensors) {
  // ModelProto { graph { node { input "a" output "b" name "n" op_type "Relu" } initializer { name "w" } input { name
  // "a" } } }
  const std::string node = std::string(
      "\x0a\x01"
      "a"
      "\x12\x01"
      "b"
      "\x1a\x01"
      "n"
      "\x22\x04"
      "Relu");
  const std::string initializer = std::string(
      "\x42\x01"
      "w");
  const std::string input = std::string(
      "\x0a\x01"
      "a");
  const auto field = [](char tag, const std::string& bytes) {
    return std::string(1, tag) + std::string(1, static_cast<char>(bytes.size())) + bytes;
  };
  const std::string graph = field('\x0a', node) + field('\x2a', initializer) + field('\x5a', input);
  const OnnxNodes model = parse_onnx_nodes(field('\x3a', graph), "m.onnx");
  ASSERT_THAT(model.nodes, SizeIs(1));
  EXPECT_EQ(model.nodes[0].type, "Relu");
  EXPECT_THAT(model.nodes[0].inputs, ElementsAre("a"));
  EXPECT_THAT(model.initializers, ElementsAre("w"));
  EXPECT_THAT(model.inputs, ElementsAre("a"));
}

}  // namespace
}  // namespace nongemm::traces
