// LLM.int8 against bitsandbytes 0.50.2: single layers and whole models, in all ways.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/elements.h"
#include "base/error.h"
#include "base/half.h"
#include "flows/load.h"
#include "graph/graph_json.h"
#include "models/registry.h"
#include "ops/builder.h"
#include "ops/check_graph.h"
#include "passes/quantize.h"
#include "prepare/prepare.h"
#include "test_paths.h"
#include "verify/compare_outputs.h"
#include "verify/quantized_layers.h"
#include "weights/checkpoint.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;

constexpr QuantizeWay kWays[] = {QuantizeWay::kPublished, QuantizeWay::kDecomposed, QuantizeWay::kFused};

const fs::path kFolder = fs::path(NONGEMM_SHARED_DIR) / "fixtures/quantized";

Flow& torch() {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow("torch");
}

std::vector<HostTensor> run(const Graph& graph, const std::vector<HostTensor>& weights,
                            const std::vector<HostTensor>& inputs) {
  EXPECT_EQ(problems_of(graph), std::vector<std::string>());
  const std::unique_ptr<Session> session = torch().prepare(graph, weights, {});
  session->set_inputs(inputs);
  session->run();
  return session->outputs();
}

std::vector<float> floats(const HostTensor& tensor) {
  std::vector<float> values(static_cast<std::size_t>(element_count(tensor.shape)));
  convert_floating(tensor.dtype, tensor.data.get(), DType::kFloat32, reinterpret_cast<std::byte*>(values.data()),
                   values.size());
  return values;
}

std::vector<fs::path> layer_files() {
  std::vector<fs::path> files;
  if (!fs::exists(kFolder)) return files;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

QuantizeOptions llm_int8(QuantizeWay way, double threshold = 6.0) {
  QuantizeOptions options;
  options.scheme = QuantizeScheme::kLlmInt8;
  options.way = way;
  options.threshold = threshold;
  return options;
}

std::vector<std::string> failures(const std::vector<LayerCheck>& checks) {
  std::vector<std::string> failed;
  for (const LayerCheck& check : checks) {
    if (!check.within) failed.push_back(check.layer + " " + check.what + ": " + check.found);
  }
  return failed;
}

class QuantizedLayer : public testing::TestWithParam<fs::path> {};

TEST_P(QuantizedLayer, IsTheOriginalsStepByStepInAllWays) {
  for (const QuantizeWay way : kWays) {
    const auto checks = verify_quantized_layers(GetParam(), torch(), {}, llm_int8(way));
    EXPECT_EQ(checks.size(), 7U);
    EXPECT_EQ(failures(checks), std::vector<std::string>()) << static_cast<int>(way);
  }
}

TEST_P(QuantizedLayer, AnotherThresholdIsSeen) {
  const auto failed = failures(verify_quantized_layers(GetParam(), torch(), {}, llm_int8(QuantizeWay::kFused, 2.0)));
  EXPECT_TRUE(std::any_of(failed.begin(), failed.end(),
                          [](const std::string& text) { return text.find("outlier columns") != std::string::npos; }));
}

INSTANTIATE_TEST_SUITE_P(Bitsandbytes, QuantizedLayer, testing::ValuesIn(layer_files()),
                         [](const auto& info) { return info.param.stem().string(); });
TEST(QuantizedReferences, AreThere) { EXPECT_GE(layer_files().size(), 3U) << kFolder; }

class QuantizedModel : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    folder_ = kFolder / GetParam();
    const weights::Checkpoint inputs = weights::open_checkpoint(folder_ / "inputs.safetensors");
    for (const std::string& name : inputs.names()) data_.tensors.emplace_back(name, *inputs.find(name));
    data_.source = "fixture";
    ModelOptions options;
    options.dtype = DType::kFloat16;
    model_ = find_model(folder_);
    graph_ = build_graph(model_, options_for(data_.tensors, options));
  }

  /// Root mean square of the logits' differences, relative to the original's.
  double error(const Graph& graph, const char* checkpoint = "model.safetensors") {
    const PreparedWeights weights = prepare_weights(model_, graph, (folder_ / checkpoint).string(), 0);
    const PreparedInputs inputs = prepare_inputs(graph, &data_, 0);
    const std::vector<float> got = floats(run(graph, weights.tensors, inputs.tensors)[0]);
    const weights::Checkpoint outputs = weights::open_checkpoint(folder_ / "outputs.safetensors");
    const std::vector<float> expected = floats(*outputs.find("logits"));
    EXPECT_EQ(got.size(), expected.size());
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < std::min(got.size(), expected.size()); ++i) {
      difference += std::pow(got[i] - expected[i], 2);
      size += std::pow(expected[i], 2);
    }
    return std::sqrt(difference / size);
  }

  fs::path folder_;
  DataBatch data_;
  Model model_;
  Graph graph_;
};

TEST_P(QuantizedModel, LogitsAreTheOriginalsInAllWays) {
  for (const QuantizeWay way : kWays) {
    EXPECT_LE(error(passes::quantize(graph_, llm_int8(way))), 0.02) << static_cast<int>(way);
  }
}

TEST_P(QuantizedModel, LayersAreTheOriginalsInAllWays) {
  for (const QuantizeWay way : kWays) {
    const auto checks = verify_layers_of_model(folder_, torch(), {}, llm_int8(way));
    EXPECT_EQ(checks.size(), GetParam() == std::string("llama_int8") ? 14U : 8U);
    EXPECT_EQ(failures(checks), std::vector<std::string>()) << static_cast<int>(way);
  }
  EXPECT_FALSE(failures(verify_layers_of_model(folder_, torch(), {}, llm_int8(QuantizeWay::kFused, 0.0))).empty());
}

TEST_P(QuantizedModel, WithoutOutliersItIsAnother) {
  EXPECT_GE(error(passes::quantize(graph_, llm_int8(QuantizeWay::kFused, 0.0))), 0.06);
  EXPECT_GE(error(graph_), 0.03) << "unquantized";
}

TEST_P(QuantizedModel, JsonKeepsThePreparation) {
  const Graph graph = passes::quantize(graph_, llm_int8(QuantizeWay::kFused));
  const std::string text = to_json(graph);
  EXPECT_EQ(to_json(graph_from_json(text, "test")), text);
}

INSTANTIATE_TEST_SUITE_P(Bitsandbytes, QuantizedModel, testing::Values("llama_int8", "gpt2_int8"),
                         [](const auto& info) { return std::string(info.param); });

// --- what is refused ---
Graph small_graph(bool with_layers) {
  Builder b("small", DType::kFloat32);
  Tensor x = b.input("x", DType::kFloat32, {2, 8}, {});
  if (with_layers) {
    for (const char* name : {"first", "second"}) {
      const auto scope = b.scope(name, "Linear");
      x = b.call("aten.linear.default", {x, b.parameter("weight", {8, 8}, {})});
    }
  }
  b.output("y", b.call("aten.relu.default", {x}));
  return b.finish();
}

std::string refusal(const Graph& graph, const QuantizeOptions& options) {
  try {
    passes::quantize(graph, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Quantize, RefusesWhatItCannotDo) {
  QuantizeOptions options;
  options.scheme = QuantizeScheme::kLlmInt8;
  EXPECT_NE(refusal(small_graph(false), options).find("no linear layer"), std::string::npos);
  options.skip = {"third"};
  EXPECT_NE(refusal(small_graph(true), options).find("'third'"), std::string::npos);
  options.skip = {"first", "second"};
  EXPECT_NE(refusal(small_graph(true), options).find("left out"), std::string::npos);
  options.skip.clear();
  options.threshold = NAN;
  EXPECT_NE(refusal(small_graph(true), options).find("threshold"), std::string::npos);
}

TEST(Quantize, LeavesTheHeadAloneUnlessNamesAreGiven) {
  const auto products = [](const Graph& graph) {
    return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                         [](const Node& node) { return node.op == "nongemm.int8_linear.default"; });
  };
  QuantizeOptions options;
  options.scheme = QuantizeScheme::kLlmInt8;
  EXPECT_EQ(products(passes::quantize(small_graph(true), options)), 1);
  options.skip = {"none"};
  EXPECT_EQ(products(passes::quantize(small_graph(true), options)), 2);
}

TEST(Ways, AgreeInTypesThatTheOriginalRoundsToHalf) {
  constexpr std::int64_t kOutlier = 17;
  for (const auto& [dtype, allowed] : {std::pair(DType::kFloat32, 1e-4f), std::pair(DType::kBFloat16, 0.07f)}) {
    Builder b("layer", dtype);
    const Tensor x = b.input("x", dtype, {5, 96}, {});
    const Tensor w = b.parameter("layer.weight", {24, 96}, {});
    b.output("y", b.call("aten.linear.default", {x, w}));
    const Graph graph = b.finish();
    std::vector<double> input;
    for (int i = 0; i < 5 * 96; ++i) input.push_back((i % 96 == kOutlier ? 20.0 : 2.0) * std::sin(i * i % 977 + 0.5));
    std::vector<double> weight;
    for (int i = 0; i < 24 * 96; ++i) weight.push_back(0.3 * std::cos(i * i % 887 + 0.25));
    std::vector<std::vector<float>> results;
    for (const QuantizeWay way : kWays) {
      QuantizeOptions options = llm_int8(way);
      options.skip = {"none"};
      results.push_back(floats(run(passes::quantize(graph, options), {tensor_from(dtype, {24, 96}, weight)},
                                   {tensor_from(dtype, {5, 96}, input)})[0]));
    }
    for (std::size_t i = 0; i < results[0].size(); ++i) {
      EXPECT_NEAR(results[0][i], results[2][i], allowed) << i;
      EXPECT_NEAR(results[1][i], results[2][i], allowed) << i;
    }
  }
}

// --- weights alone and fp8, against sums of their own ---
constexpr std::int64_t kRows = 3;
constexpr std::int64_t kIn = 321;  // two groups of 128 and a shorter one, an odd number of halves of bytes
constexpr std::int64_t kOut = 7;

/// Numbers of both signs without a pattern that a wrong stride would keep.
std::vector<float> numbers(std::int64_t count, float size) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(size * std::sin(static_cast<float>(i * i % 977) + 0.5f));
  }
  return values;
}

HostTensor tensor_of(const std::vector<float>& values, Shape shape) {
  return HostTensor::from<float>(DType::kFloat32, std::move(shape), values);
}

struct SmallLayer {
  std::vector<float> input = numbers(kRows * kIn, 2.0f);
  std::vector<float> weight = numbers(kOut * kIn, 0.3f);
  std::vector<float> bias = numbers(kOut, 1.0f);

  std::vector<float> run(QuantizeScheme scheme) const {
    Builder b("layer", DType::kFloat32);
    const Tensor x = b.input("x", DType::kFloat32, {1, kRows, kIn}, {});
    const Tensor w = b.parameter("layer.weight", {kOut, kIn}, {});
    b.output("y", b.call("aten.linear.default", {x, w, b.parameter("layer.bias", {kOut}, {})}));
    QuantizeOptions options;
    options.scheme = scheme;
    options.skip = {"none"};
    const Graph graph = passes::quantize(b.finish(), options);
    const auto outputs = nongemm::run(graph, {tensor_of(weight, {kOut, kIn}), tensor_of(bias, {kOut})},
                                      {tensor_of(input, {1, kRows, kIn})});
    EXPECT_EQ(outputs[0].shape, (Shape{1, kRows, kOut}));
    return floats(outputs[0]);
  }

  /// The product with other factors, in double.
  std::vector<double> product(const std::vector<float>& x, const std::vector<float>& w) const {
    std::vector<double> results;
    for (std::int64_t r = 0; r < kRows; ++r) {
      for (std::int64_t n = 0; n < kOut; ++n) {
        double sum = bias[n];
        for (std::int64_t k = 0; k < kIn; ++k) sum += static_cast<double>(x[r * kIn + k]) * w[n * kIn + k];
        results.push_back(sum);
      }
    }
    return results;
  }
};

void expect_near(const std::vector<float>& got, const std::vector<double>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 2e-4) << "at " << i;
}

std::vector<float> in_groups(const std::vector<float>& weight, float half) {
  std::vector<float> result = weight;
  for (std::int64_t n = 0; n < kOut; ++n) {
    for (std::int64_t first = 0; first < kIn; first += 128) {
      const std::int64_t last = std::min<std::int64_t>(first + 128, kIn);
      float largest = 0;
      for (std::int64_t k = first; k < last; ++k) largest = std::max(largest, std::fabs(weight[n * kIn + k]));
      const float scale = largest / (half - 0.5f);
      for (std::int64_t k = first; k < last; ++k) {
        result[n * kIn + k] = std::clamp(std::nearbyint(weight[n * kIn + k] / scale), -half, half - 1) * scale;
      }
    }
  }
  return result;
}

TEST(WeightOnly, IsTheProductWithWeightsOfFewBits) {
  const SmallLayer layer;
  expect_near(layer.run(QuantizeScheme::kW8), layer.product(layer.input, in_groups(layer.weight, 128)));
  expect_near(layer.run(QuantizeScheme::kW4), layer.product(layer.input, in_groups(layer.weight, 8)));
}

std::vector<float> in_e4m3(const std::vector<float>& values) {
  std::vector<float> result = values;
  for (std::size_t first = 0; first < values.size(); first += kIn) {
    float largest = 0;
    for (std::int64_t k = 0; k < kIn; ++k) largest = std::max(largest, std::fabs(values[first + k]));
    const float scale = largest / 448.0f;
    for (std::int64_t k = 0; k < kIn; ++k) {
      const float value = values[first + k] / scale;
      // Three bits behind the leading one, the smallest of which is 2^-9.
      const int exponent = std::max(std::ilogb(value), -6) - 3;
      result[first + k] = std::ldexp(std::nearbyint(std::ldexp(value, -exponent)), exponent) * scale;
    }
  }
  return result;
}

TEST(Fp8, IsTheProductOfRoundedRows) {
  const SmallLayer layer;
  expect_near(layer.run(QuantizeScheme::kFp8), layer.product(in_e4m3(layer.input), in_e4m3(layer.weight)));
}

TEST(Quantize, RefusesWeightsThatAreNotFinite) {
  SmallLayer layer;
  layer.weight[5] = NAN;
  for (const passes::Scheme& scheme : passes::schemes()) {
    try {
      layer.run(scheme.scheme);
      ADD_FAILURE() << scheme.id;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("layer.weight"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace nongemm
