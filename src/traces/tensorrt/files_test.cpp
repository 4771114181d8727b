// Files of each kind and version (tests/fixtures/traces/tensorrt, hand-made; shared fixtures, as TensorRT wrote them).
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "test_paths.h"
#include "traces/tensorrt/layers.h"
#include "traces/tensorrt/names.h"
#include "traces/tensorrt/profile.h"
#include "traces/tensorrt/times.h"

namespace nongemm::traces {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::filesystem::path hand_made(const std::string& name) {
  return std::filesystem::path(NONGEMM_SOURCE_DIR) / "tests/fixtures/traces/tensorrt" / name;
}
std::filesystem::path shared(const std::string& name) {
  return std::filesystem::path(NONGEMM_SHARED_DIR) / "fixtures/tensorrt" / name;
}

template <typename Parse>
std::string complaint(const Parse& parse) {
  try {
    parse();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "nothing was wrong";
}

TEST(TensorRtLayers, RawSeparatorsOfVersion8) {
  const TensorRtEngine engine = read_tensorrt_layers(hand_made("trt8_layers.json"));
  EXPECT_TRUE(engine.detailed);
  ASSERT_THAT(engine.layers, SizeIs(4));
  EXPECT_THAT(engine.bindings, ElementsAre("x", "y"));
  const EngineLayer& convolution = engine.layers[1];
  EXPECT_EQ(convolution.type, "CaskConvolution");
  EXPECT_EQ(convolution.tactic, "sm80_xmma_fprop_implicit_gemm_f16f16_f16f16_f16_nhwckrsc_nhwc");
  EXPECT_THAT(convolution.onnx_nodes, ElementsAre("n0/conv/aten.conv2d", "n1/act/aten.relu"));
  EXPECT_THAT(convolution.outputs, ElementsAre("n1/v4"));
  EXPECT_THAT(engine.layers[2].onnx_nodes, IsEmpty());
}

TEST(TensorRtLayers, BareNamesOfEnginesWithoutDetails) {
  const TensorRtEngine engine = read_tensorrt_layers(hand_made("trt8_names_layers.json"));
  EXPECT_FALSE(engine.detailed);
  ASSERT_THAT(engine.layers, SizeIs(5));
  EXPECT_EQ(engine.layers[4].name, "Conv_0 + Relu_1");
  EXPECT_EQ(engine.layers[4].profile, 1);
  EXPECT_THAT(engine_of_profile(engine, 0).layers, SizeIs(4));
  EXPECT_THAT(complaint([&] { engine_of_profile(engine, 2); }), HasSubstr("optimization profile 2"));
}

TEST(TensorRtLayers, KernelsAndRepeatedNamesOfVersion10) {
  const TensorRtEngine engine = engine_of_profile(read_tensorrt_layers(hand_made("trt10_layers.json")), 0);
  ASSERT_THAT(engine.layers, SizeIs(5));
  EXPECT_THAT(engine.layers[1].onnx_nodes, ElementsAre("/layer/attention/query/MatMul", "/layer/attention/query/Add"));
  EXPECT_EQ(engine.layers[2].name, engine.layers[3].name);
  EXPECT_THAT(engine.layers[3].onnx_nodes, ElementsAre("/layer/attention/Transpose[0]", "/layer/attention/Reshape"));
  EXPECT_THAT(engine.layers[4].onnx_nodes, SizeIs(3));
}

TEST(TensorRtLayers, Version11) {
  const TensorRtEngine engine = read_tensorrt_layers(hand_made("trt11_layers.json"));
  ASSERT_THAT(engine.layers, SizeIs(4));
  EXPECT_THAT(engine.layers[0].onnx_nodes, ElementsAre("/mlp/fc1/MatMul", "/mlp/fc1/Add", "/mlp/act/Gelu"));
  EXPECT_EQ(engine.layers[1].type, "signal");
}

TEST(TensorRtLayers, FilesThatTensorRtWrote) {
  const TensorRtEngine segformer = read_tensorrt_layers(shared("trt86_segformer_layers.json"));
  EXPECT_THAT(segformer.layers, SizeIs(100));
  EXPECT_THAT(segformer.bindings, ElementsAre("input.1", "1462"));
  std::size_t named = 0;
  for (const EngineLayer& layer : segformer.layers) named += layer.onnx_nodes.size();
  EXPECT_EQ(named, 28U);
  const TensorRtEngine vit = read_tensorrt_layers(shared("trt85_vit_b_layers.json"));
  EXPECT_THAT(vit.layers, SizeIs(4));
  EXPECT_EQ(vit.layers[2].type, "Myelin");
}

TEST(TensorRtLayers, RefusesWhatIsNoLayerInformation) {
  const auto refusal = [](std::string_view text) { return complaint([&] { parse_tensorrt_layers(text, "l.json"); }); };
  EXPECT_THAT(refusal("[]"), HasSubstr("l.json: no JSON object"));
  EXPECT_THAT(refusal("{}"), HasSubstr("'Layers' is missing"));
  EXPECT_THAT(refusal(R"({"Layers": []})"), HasSubstr("is empty"));
  EXPECT_THAT(refusal(R"({"Layers": [3]})"), HasSubstr("layer 0 has no name"));
  EXPECT_THAT(refusal(R"({"Layers": [{"Name": "a", )"), HasSubstr("ends too early"));
  EXPECT_THAT(refusal(""), HasSubstr("ends too early"));
  EXPECT_THAT(refusal(std::string(401, '[')), HasSubstr("nested more than 400 deep"));
}

TEST(TensorRtLayers, LeavesOutWhatIsOddInALayer) {
  const TensorRtEngine engine = parse_tensorrt_layers(
      R"({"Layers": [{"Name": "a", "LayerType": 3, "Inputs": {}, "Outputs": [1, {"Name": null}], "Metadata": []}]})",
      "");
  EXPECT_EQ(engine.layers[0].type, "");
  EXPECT_THAT(engine.layers[0].outputs, ElementsAre(""));
}

TEST(TensorRtProfile, Version8) {
  const TensorRtProfile profile = read_tensorrt_profile(hand_made("trt8_profile.json"));
  EXPECT_EQ(profile.inferences, 20);
  ASSERT_THAT(profile.layers, SizeIs(4));
  EXPECT_THAT(profile.layers[0].mean_s, DoubleNear(10e-6, 1e-12));
  EXPECT_THAT(profile.layers[0].median_s, DoubleNear(9e-6, 1e-12));
}

TEST(TensorRtProfile, SharesThatAreNoNumbers) {
  const TensorRtProfile profile = read_tensorrt_profile(hand_made("trt10_profile.json"));
  ASSERT_THAT(profile.layers, SizeIs(4));
  EXPECT_EQ(profile.layers[1].name, profile.layers[2].name);
  EXPECT_THAT(profile.layers[2].mean_s, DoubleNear(5e-6, 1e-12));
}

TEST(TensorRtProfile, AveragesAlone) {
  const TensorRtProfile profile = read_tensorrt_profile(shared("trt86_segformer_times.json"));
  EXPECT_EQ(profile.inferences, 0);
  double sum = 0;
  for (const LayerTime& layer : profile.layers) sum += layer.mean_s;
  EXPECT_THAT(sum, DoubleNear(1.13e-3, 0.01e-3));  // as measured when the file was written
  EXPECT_TRUE(std::isnan(profile.layers[0].median_s));
}

TEST(TensorRtProfile, TotalsDividedByTheCount) {
  const TensorRtProfile profile =
      parse_tensorrt_profile(R"([{"count": 4}, {"name": "a [profile 3]", "timeMs": 2, "averageMs": nan}])", "");
  EXPECT_DOUBLE_EQ(profile.layers[0].mean_s, 0.5e-3);
  EXPECT_EQ(profile.layers[0].profile, 3);
}

TEST(TensorRtProfile, RefusesWhatIsNoProfile) {
  const auto refusal = [](std::string_view text) { return complaint([&] { parse_tensorrt_profile(text, "p.json"); }); };
  EXPECT_THAT(refusal("{}"), HasSubstr("p.json: no JSON array"));
  EXPECT_THAT(refusal("[]"), HasSubstr("holds no layer"));
  EXPECT_THAT(refusal("[1]"), HasSubstr("no object"));
  EXPECT_THAT(refusal(R"([{"name": 1}])"), HasSubstr("no text"));
  EXPECT_THAT(refusal(R"([{"name": "a", "timeMs": 1}])"), HasSubstr("'a' has no time"));
  EXPECT_THAT(refusal(R"([{"name": "a", "averageMs": -1}])"), HasSubstr("'a' has no time"));
  EXPECT_THAT(refusal(R"([{"name": "a "b"", "averageMs": 1}])"), HasSubstr("damaged near byte"));
  EXPECT_THAT(refusal(R"([{"name": "a", "averageMs": 1e999}])"), HasSubstr("out of range"));
}

TEST(TensorRtTimes, Inferences) {
  const std::vector<InferenceTime> times = read_tensorrt_times(hand_made("trt8_times.json"));
  ASSERT_THAT(times, SizeIs(2));
  EXPECT_DOUBLE_EQ(times[1].latency_s, 0.11e-3);
  EXPECT_DOUBLE_EQ(times[1].compute_s, 0.09e-3);
  EXPECT_THAT(complaint([] { parse_tensorrt_times("[]", "t.json"); }), HasSubstr("t.json: it holds no inference"));
  EXPECT_THAT(complaint([] { parse_tensorrt_times(R"([{"latencyMs": 1}])", ""); }), HasSubstr("'computeMs'"));
}

TEST(TensorRtNames, Parts) {
  EXPECT_THAT(parts_of_name("a + b"), ElementsAre("a", "b"));
  EXPECT_THAT(parts_of_name("a || b"), ElementsAre("a", "b"));
  EXPECT_THAT(parts_of_name("PWN(PWN(/Sigmoid), /Mul)"), ElementsAre("/Sigmoid", "/Mul"));
  EXPECT_THAT(parts_of_name("{ForeignNode[w.../a/Transpose + /a/Reshape]}"),
              ElementsAre("w", "/a/Transpose", "/a/Reshape"));
  EXPECT_TRUE(is_foreign_node("{ForeignNode[w.../a/Transpose]}"));
  EXPECT_FALSE(is_foreign_node("/ForeignNode"));
}

TEST(TensorRtNames, Profiles) {
  EXPECT_EQ(split_profile("a [profile 12]").name, "a");
  EXPECT_EQ(split_profile("a [profile 12]").profile, 12);
  for (const char* whole : {"a", "a [profile x]", "a [profile ]", "a [profile -1]", "a [profile 1] b", "[profile 1]"}) {
    EXPECT_EQ(split_profile(whole).name, whole);
  }
}

TEST(TensorRtNames, Metadata) {
  EXPECT_THAT(onnx_layers_in(""), IsEmpty());
  EXPECT_THAT(onnx_layers_in("[ONNX Layer: a[0]]\x1f[ONNX Layer: b]"), ElementsAre("a[0]", "b"));
  EXPECT_THAT(onnx_layers_in("[ONNX Layer: a]\x1e[Other: b]"), ElementsAre("a"));
  EXPECT_THAT(onnx_layers_in("[ONNX Layer: cut"), ElementsAre("cut"));
}

}  // namespace
}  // namespace nongemm::traces
