// Static scales of activations: calibration, the products made with them, and the ONNX model that TensorRT is given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/elements.h"
#include "base/error.h"
#include "flows/load.h"
#include "lowering/lower.h"
#include "lowering/simplify.h"
#include "ops/builder.h"
#include "ops/check_graph.h"
#include "passes/calibration.h"
#include "passes/quantize.h"
#include "test_paths.h"
#include "weights/made_weights.h"

namespace nongemm {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kRows = 5;
constexpr std::int64_t kIn = 24;
constexpr std::int64_t kOut = 16;

Flow& flow(const char* name) {
  setenv("NONGEMM_MODULES", NONGEMM_BINARY_DIR "/lib/nongemm", /*overwrite=*/0);
  return load_flow(name);
}

std::vector<double> numbers(std::int64_t count, double size, int from) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(size * std::sin(static_cast<double>((i + from) * i % 977)));
  return values;
}

/// Two layers of one input, one of which is stored as [in, out], and a third behind a relu.
struct Small {
  Graph graph;
  std::vector<HostTensor> weights;
  HostTensor input;

  explicit Small(DType dtype = DType::kFloat32) : graph(build(dtype)) {
    int i = 0;
    for (const Weight& weight : graph.weights) {
      const Shape& shape = graph.values[weight.value].type.shape;
      weights.push_back(tensor_from(dtype, shape, numbers(element_count(shape), 0.4, 7 * ++i)));
    }
    input = tensor_from(dtype, {1, kRows, kIn}, numbers(kRows * kIn, 3.0, 2));
  }

  static Graph build(DType dtype) {
    Builder b("small", dtype);
    b.graph().attributes["dtype"] = std::string(name_of(dtype));
    const Tensor x = b.input("x", dtype, {1, kRows, kIn}, {});
    const Tensor first = b.call("aten.linear.default", {x, b.parameter("first.weight", {kOut, kIn}, {}),
                                                        b.parameter("first.bias", {kOut}, {})});
    const Tensor second = b.call("aten.matmul.default", {x, b.parameter("second.weight", {kIn, kOut}, {})});
    const Tensor sum = b.call("aten.relu.default", {b.call("aten.add.Tensor", {first, second})});
    b.output("y", b.call("aten.linear.default", {sum, b.parameter("third.weight", {kOut, kOut}, {})}));
    return b.finish();
  }

  std::vector<HostTensor> run(const Graph& of, const char* in = "torch") const {
    EXPECT_THAT(problems_of(of), IsEmpty());
    RunOptions options;
    options.settings["ort.int8"] = "exact";
    const auto session = flow(in).prepare(of, weights, options);
    session->set_inputs({input});
    session->run();
    return session->outputs();
  }
};

QuantizeOptions static_w8a8() {
  QuantizeOptions options;
  options.scheme = QuantizeScheme::kW8a8;
  options.skip = {"none"};
  return options;
}

passes::InputSteps calibrated(const Small& small) {
  const Graph magnitudes = passes::with_magnitudes(small.graph, static_w8a8());
  passes::InputSteps steps;
  passes::add_steps(magnitudes, small.run(magnitudes), steps);
  return steps;
}

Graph quantized(const Small& small) { return passes::quantize(small.graph, static_w8a8(), calibrated(small)); }

double largest_of(const HostTensor& tensor) {
  double largest = 0;
  for (const double value : elements_of(tensor)) largest = std::max(largest, std::fabs(value));
  return largest;
}

double largest_difference(const HostTensor& a, const HostTensor& b) {
  const std::vector<double> left = elements_of(a);
  const std::vector<double> right = elements_of(b);
  EXPECT_EQ(left.size(), right.size());
  double largest = 0;
  for (std::size_t i = 0; i < left.size(); ++i) largest = std::max(largest, std::fabs(left[i] - right[i]));
  return largest;
}

TEST(Calibration, FindsTheLargestMagnitudeOfEachInput) {
  const Small small;
  const passes::InputSteps steps = calibrated(small);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_NEAR(steps.at("first.weight"), largest_of(small.input) / 127, 1e-6);
  EXPECT_EQ(steps.at("first.weight"), steps.at("second.weight"));
  EXPECT_GT(steps.at("third.weight"), 0);
}

TEST(Calibration, OfSeveralRunsKeepsTheLargest) {
  const Small small;
  const Graph magnitudes = passes::with_magnitudes(small.graph, static_w8a8());
  passes::InputSteps steps;
  const auto of = [](double value) { return tensor_from(DType::kFloat32, {}, {value}); };
  passes::add_steps(magnitudes, {of(127), of(254), of(0)}, steps);
  passes::add_steps(magnitudes, {of(254), of(127), of(0)}, steps);
  EXPECT_EQ(steps, (passes::InputSteps{{"first.weight", 2}, {"second.weight", 2}, {"third.weight", 0}}));
  EXPECT_THROW(passes::add_steps(magnitudes, {of(INFINITY), of(1), of(1)}, steps), Error);
}

TEST(StaticScales, AreOneForALayer) {
  const Small small;
  const Graph graph = quantized(small);
  const auto count = std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                   [](const Node& node) { return node.op == "nongemm.static_quantize.default"; });
  EXPECT_EQ(count, 2) << "layers of one input share its values";
  const HostTensor plain = small.run(small.graph)[0];
  const HostTensor got = small.run(graph)[0];
  EXPECT_LT(largest_difference(got, plain), 0.03 * largest_of(plain));
  EXPECT_GT(largest_difference(got, plain), 0);
}

TEST(StaticScales, CutWhatIsBeyondThem) {
  const Small small;
  passes::InputSteps steps = calibrated(small);
  for (auto& [name, step] : steps) step /= 1000;
  const HostTensor cut = small.run(passes::quantize(small.graph, static_w8a8(), steps))[0];
  EXPECT_LT(largest_of(cut), 0.01 * largest_of(small.run(small.graph)[0]));
}

TEST(StaticScales, HaveToBeKnown) {
  const Small small;
  passes::InputSteps steps = calibrated(small);
  steps.erase("third.weight");
  try {
    passes::quantize(small.graph, static_w8a8(), steps);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("third.weight"));
  }
}

// --- as runtimes get it ---
onnx::LoweredModel lowered(const Small& small, const Graph& graph) {
  onnx::LoweredModel model = onnx::lower_to_onnx(graph, {.opset = 17});
  const onnx::GiveWeight give = [&](std::size_t place) {
    return weights::made_weight(graph, place, [&](std::size_t i) { return small.weights.at(i); });
  };
  onnx::simplify(model.model, graph, give);
  return model;
}

/// TensorRT: every scale and zero point is a constant, zero points are 0 and int8, weights are int8 with a scale for
/// each column, values have one scale, and products read nothing but dequantized operands.
TEST(StaticScales, AreWrittenAsTensorRtTakesThem) {
  const Small small;
  const Graph graph = quantized(small);
  const onnx::LoweredModel model = lowered(small, graph);
  std::map<std::string, const onnx::NodeDef*> made_by;
  for (const onnx::NodeDef& node : model.model.graph.nodes) {
    for (const std::string& output : node.outputs) made_by[output] = &node;
  }
  int products = 0;
  int by_column = 0;
  for (const onnx::NodeDef& node : model.model.graph.nodes) {
    EXPECT_NE(node.type, "DynamicQuantizeLinear");
    if (node.type == "QuantizeLinear" || node.type == "DequantizeLinear") {
      EXPECT_FALSE(made_by.contains(node.inputs.at(1))) << node.name << ": a scale that is computed";
      ASSERT_EQ(node.inputs.size(), 3U) << node.name << ": the parser of TensorRT 8 reads a third operand unseen";
      EXPECT_FALSE(made_by.contains(node.inputs[2])) << node.name << ": a zero point that is computed";
      if (node.type == "DequantizeLinear" && !made_by.contains(node.inputs[0])) {
        EXPECT_EQ(std::get<std::int64_t>(node.attributes.at(0).value), 1) << "of a weight [in, out], its columns";
        ++by_column;
      }
    }
    if (node.type != "MatMul") continue;
    ++products;
    for (const std::string& operand : node.inputs) EXPECT_EQ(made_by.at(operand)->type, "DequantizeLinear");
  }
  EXPECT_EQ(products, 3);
  EXPECT_EQ(by_column, 3);
}

#ifdef NONGEMM_HAS_ORT
TEST(StaticScales, GiveInOnnxRuntimeWhatTorchGives) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat16}) {
    const Small small(dtype);
    const Graph graph = quantized(small);
    const HostTensor torch = small.run(graph)[0];
    const HostTensor ort = small.run(graph, "ort")[0];
    // A value at a tie may round to the next step where sums differ in the last bit.
    EXPECT_LT(largest_difference(ort, torch), 0.01 * largest_of(torch)) << name_of(dtype);
  }
}

TEST(StaticScales, OfARowOfZerosAreNotZero) {
  Small small;
  std::vector<double> values = elements_of(small.weights[0]);
  std::fill(values.begin(), values.begin() + kIn, 0.0);
  small.weights[0] = tensor_from(DType::kFloat32, {kOut, kIn}, values);
  const Graph graph = quantized(small);
  EXPECT_LT(largest_difference(small.run(graph, "ort")[0], small.run(graph)[0]),
            0.01 * largest_of(small.run(graph)[0]));
}
#endif

}  // namespace
}  // namespace nongemm
