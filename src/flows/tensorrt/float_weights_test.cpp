#include "flows/tensorrt/float_weights.h"

#include <gmock/gmock.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace nongemm::tensorrt {
namespace {

using onnx::Initializer;
using onnx::NodeDef;
using testing::ElementsAre;

Initializer constant(std::string name, HostTensor data) {
  Initializer initializer{.name = std::move(name), .dtype = data.dtype, .shape = data.shape};
  initializer.data = std::move(data);
  return initializer;
}

Initializer weight(std::string name, Shape shape, std::size_t number, bool transposed) {
  return {.name = std::move(name),
          .dtype = DType::kInt8,
          .shape = std::move(shape),
          .weight = number,
          .transposed = transposed};
}

const std::vector<std::int8_t> kValues = {127, -127, 5, -1, 64, 3};

HostTensor give(std::size_t) { return HostTensor::from<std::int8_t>(DType::kInt8, {2, 3}, kValues); }

std::vector<std::string> types_of(const onnx::ModelDef& model) {
  std::vector<std::string> types;
  for (const NodeDef& node : model.graph.nodes) types.push_back(node.type);
  return types;
}

NodeDef dequantize(std::string input, std::int64_t axis) {
  return {"DequantizeLinear", "n1/a", {std::move(input), "scale", "zeros"}, {"out"}, {{"axis", axis}}};
}

Initializer zeros() { return constant("zeros", HostTensor::from<std::int8_t>(DType::kInt8, {}, {0})); }

/// What QuantizeLinear makes of it, `scales` for each element.
std::vector<std::int8_t> quantized(const HostTensor& numbers, const std::vector<float>& scales) {
  std::vector<std::int8_t> values;
  for (std::size_t i = 0; i < scales.size(); ++i) {
    values.push_back(static_cast<std::int8_t>(std::nearbyint(numbers.as<float>()[i] / scales[i])));
  }
  return values;
}

TEST(FloatWeights, AreWhatTheyWereOnceTheyAreQuantized) {
  onnx::ModelDef model;
  model.graph.initializers = {weight("w", {3, 2}, 0, true), zeros(),
                              constant("scale", HostTensor::from<float>(DType::kFloat32, {2}, {0.013F, 7.1F}))};
  model.graph.nodes = {dequantize("w", 1)};
  const onnx::GiveWeight given = quantize_weights_in_engine(model, give);
  ASSERT_THAT(types_of(model), ElementsAre("QuantizeLinear", "DequantizeLinear"));
  EXPECT_EQ(model.graph.nodes[0].inputs, (std::vector<std::string>{"w", "scale", "zeros"}));
  EXPECT_EQ(model.graph.nodes[1].inputs[0], model.graph.nodes[0].outputs[0]);
  EXPECT_EQ(model.graph.initializers[0].dtype, DType::kFloat32);
  // As the graph has it: two rows with a scale each, which the file has as columns.
  const HostTensor numbers = given(0);
  EXPECT_EQ(numbers.shape, (Shape{2, 3}));
  EXPECT_EQ(quantized(numbers, {0.013F, 0.013F, 0.013F, 7.1F, 7.1F, 7.1F}), kValues);
  EXPECT_FLOAT_EQ(numbers.as<float>()[4], 64 * 7.1F);
}

TEST(FloatWeights, GroupsAreReshapedBeforeTheyAreQuantized) {
  onnx::ModelDef model;
  const HostTensor scales = HostTensor::from<float>(DType::kFloat32, {3}, {1.5F, 0.1F, 3.0F});
  model.graph.initializers = {weight("w", {2, 3}, 0, false), zeros(), constant("scale", scales),
                              constant("shape", HostTensor::from<std::int64_t>(DType::kInt64, {2}, {3, 2}))};
  model.graph.nodes = {{"Reshape", "n1/r", {"w", "shape"}, {"groups"}, {}}, dequantize("groups", 0)};
  const onnx::GiveWeight given = quantize_weights_in_engine(model, give);
  ASSERT_THAT(types_of(model), ElementsAre("Reshape", "QuantizeLinear", "DequantizeLinear"));
  EXPECT_EQ(model.graph.nodes[1].inputs[0], "groups");
  EXPECT_EQ(quantized(given(0), {1.5F, 1.5F, 0.1F, 0.1F, 3.0F, 3.0F}), kValues);
}

TEST(FloatWeights, ConstantsThatWereFoldedAreConvertedWhereTheyAre) {
  onnx::ModelDef model;
  model.graph.initializers = {constant("w", HostTensor::from<std::int8_t>(DType::kInt8, {3, 2}, kValues)), zeros(),
                              constant("scale", HostTensor::from<float>(DType::kFloat32, {3}, {1.5F, 0.1F, 3.0F}))};
  model.graph.nodes = {dequantize("w", 0)};
  quantize_weights_in_engine(model, give);
  ASSERT_THAT(types_of(model), ElementsAre("QuantizeLinear", "DequantizeLinear"));
  const Initializer& folded = model.graph.initializers[0];
  EXPECT_EQ(folded.dtype, DType::kFloat32);
  EXPECT_EQ(folded.data.dtype, DType::kFloat32);
  EXPECT_EQ(quantized(folded.data, {1.5F, 1.5F, 0.1F, 0.1F, 3.0F, 3.0F}), kValues);
}

/// A layer that runs twice.
TEST(FloatWeights, OneQuantizeLinearServesAllUses) {
  onnx::ModelDef model;
  model.graph.initializers = {weight("w", {2, 3}, 0, false), zeros(),
                              constant("scale", HostTensor::from<float>(DType::kFloat32, {}, {1.5F}))};
  model.graph.nodes = {dequantize("w", 1), dequantize("w", 1)};
  model.graph.nodes[1].outputs = {"again"};
  EXPECT_EQ(quantize_weights_in_engine(model, give)(0).dtype, DType::kFloat32);
  ASSERT_THAT(types_of(model), ElementsAre("QuantizeLinear", "DequantizeLinear", "DequantizeLinear"));
  EXPECT_EQ(model.graph.nodes[1].inputs[0], model.graph.nodes[0].outputs[0]);
  EXPECT_EQ(model.graph.nodes[2].inputs[0], model.graph.nodes[0].outputs[0]);
}

TEST(FloatWeights, WhatIsUsedOtherwiseStaysAsItIs) {
  onnx::ModelDef model;
  model.graph.initializers = {weight("w", {2, 3}, 0, false), weight("same", {3, 2}, 0, true), zeros(),
                              constant("scale", HostTensor::from<float>(DType::kFloat32, {}, {1.5F}))};
  model.graph.nodes = {dequantize("w", 1)};
  EXPECT_EQ(quantize_weights_in_engine(model, give)(0).dtype, DType::kInt8) << "stored twice";
  model.graph.initializers.erase(model.graph.initializers.begin() + 1);
  model.graph.nodes.push_back({"Identity", "n2/b", {"w"}, {"again"}, {}});
  EXPECT_EQ(quantize_weights_in_engine(model, give)(0).dtype, DType::kInt8) << "used twice";
  EXPECT_THAT(types_of(model), ElementsAre("DequantizeLinear", "Identity"));
  model.graph.nodes = {dequantize("w", 1)};
  model.graph.initializers[1].data = HostTensor::from<std::int8_t>(DType::kInt8, {}, {3});
  EXPECT_EQ(quantize_weights_in_engine(model, give)(0).dtype, DType::kInt8) << "with a zero point";
  model.graph.nodes = {{"QuantizeLinear", "n1/q", {"x", "scale", "zeros"}, {"y"}, {}}, dequantize("y", 1)};
  quantize_weights_in_engine(model, give);
  EXPECT_THAT(types_of(model), ElementsAre("QuantizeLinear", "DequantizeLinear")) << "activations";
}

}  // namespace
}  // namespace nongemm::tensorrt
