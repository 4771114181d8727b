#include "flows/tensorrt/float_weights.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nongemm::tensorrt {
namespace {

using onnx::Initializer;
using onnx::NodeDef;

/// How an int8 tensor becomes numbers: the scale of element i is scales[i / stride % scales.size()].
struct Steps {
  std::vector<float> scales;
  std::size_t stride = 1;
};

struct Names {
  explicit Names(onnx::GraphDef& given) : graph(given) {
    for (std::size_t i = 0; i < graph.initializers.size(); ++i) {
      initializers[graph.initializers[i].name] = i;
      ++times_stored[graph.initializers[i].weight];
    }
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const std::string& output : graph.nodes[i].outputs) producers[output] = i;
      for (const std::string& input : graph.nodes[i].inputs) ++uses[input];
    }
  }
  Initializer* initializer(const std::string& name) {
    const auto at = initializers.find(name);
    return at == initializers.end() ? nullptr : &graph.initializers[at->second];
  }
  NodeDef* producer(const std::string& name) {
    const auto at = producers.find(name);
    return at == producers.end() ? nullptr : &graph.nodes[at->second];
  }
  onnx::GraphDef& graph;
  std::map<std::string, std::size_t> initializers;
  std::map<std::string, std::size_t> producers;
  std::map<std::string, int> uses;
  std::map<std::size_t, int> times_stored;  // by the graph's weight
};

std::int64_t axis_of(const NodeDef& node) {
  for (const onnx::Attribute& attribute : node.attributes) {
    const auto* axis = std::get_if<std::int64_t>(&attribute.value);
    if (attribute.name == "axis" && axis != nullptr) return *axis;
  }
  return 1;  // ONNX's own
}

/// @param shape of what is dequantized
std::optional<Steps> steps_of(const NodeDef& node, const Shape& shape, Names& names, const onnx::GiveWeight& give) {
  const Initializer* scale = node.inputs.size() < 2 ? nullptr : names.initializer(node.inputs[1]);
  if (scale == nullptr || scale->dtype != DType::kFloat32) return std::nullopt;
  const HostTensor values = onnx::tensor_of(*scale, give);
  const auto count = static_cast<std::size_t>(element_count(values.shape));
  const std::span numbers(values.as<float>(), count);
  Steps steps{{numbers.begin(), numbers.end()}, 1};
  if (count == 1) return steps;
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::int64_t axis = axis_of(node) < 0 ? axis_of(node) + rank : axis_of(node);
  if (axis < 0 || axis >= rank || shape[static_cast<std::size_t>(axis)] != static_cast<std::int64_t>(count)) return {};
  for (std::size_t i = static_cast<std::size_t>(axis) + 1; i < shape.size(); ++i) {
    steps.stride *= static_cast<std::size_t>(shape[i]);
  }
  return steps;
}

/// The graph's weight in fp32. @param transposed whether steps are of the exchanged dimensions
HostTensor in_numbers(const HostTensor& weight, const Steps& steps, bool transposed) {
  auto [numbers, bytes] = HostTensor::allocate(DType::kFloat32, weight.shape);
  const auto count = static_cast<std::size_t>(element_count(weight.shape));
  const std::span values(weight.as<std::int8_t>(), count);
  const std::span out(reinterpret_cast<float*>(bytes), count);
  const std::size_t columns = transposed ? static_cast<std::size_t>(weight.shape[1]) : 1;
  const std::size_t rows = transposed ? static_cast<std::size_t>(weight.shape[0]) : 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = transposed ? i % columns * rows + i / columns : i;
    out[i] = static_cast<float>(values[i]) * steps.scales[place / steps.stride % steps.scales.size()];
  }
  return numbers;
}

struct Weight {
  Steps steps;
  bool transposed = false;
};

}  // namespace

onnx::GiveWeight quantize_weights_in_engine(onnx::ModelDef& model, onnx::GiveWeight give) {
  Names names(model.graph);
  const auto weights = std::make_shared<std::map<std::size_t, Weight>>();
  std::map<std::string, NodeDef> before;  // the DequantizeLinear, by its first result
  for (const NodeDef& node : model.graph.nodes) {
    if (node.type != "DequantizeLinear" || names.uses[node.inputs[0]] != 1) continue;
    const NodeDef* reshape = names.producer(node.inputs[0]);
    if (reshape != nullptr && (reshape->type != "Reshape" || names.uses[reshape->inputs[0]] != 1)) continue;
    Initializer* weight = names.initializer(reshape != nullptr ? reshape->inputs[0] : node.inputs[0]);
    if (weight == nullptr || !weight->is_weight() || weight->dtype != DType::kInt8) continue;
    Shape shape = weight->shape;
    if (reshape != nullptr) {
      const Initializer* to = names.initializer(reshape->inputs.at(1));
      if (to == nullptr || to->is_weight()) continue;
      const std::span sizes(to->data.as<std::int64_t>(), static_cast<std::size_t>(element_count(to->shape)));
      shape.assign(sizes.begin(), sizes.end());
    }
    const std::optional<Steps> steps = steps_of(node, shape, names, give);
    if (!steps || names.times_stored[weight->weight] != 1) continue;
    (*weights)[weight->weight] = {*steps, weight->transposed};
    weight->dtype = DType::kFloat32;
    NodeDef quantize = node;
    quantize.type = "QuantizeLinear";
    quantize.name += "_quantize";
    quantize.outputs = {node.inputs[0] + "_quantized"};
    before.emplace(node.outputs[0], std::move(quantize));
  }
  std::vector<NodeDef> nodes;
  for (NodeDef& node : model.graph.nodes) {
    const auto at = before.find(node.outputs.empty() ? std::string() : node.outputs[0]);
    if (at != before.end()) {
      node.inputs[0] = at->second.outputs[0];
      nodes.push_back(std::move(at->second));
    }
    nodes.push_back(std::move(node));
  }
  model.graph.nodes = std::move(nodes);
  return [weights, give = std::move(give)](std::size_t weight) {
    const auto at = weights->find(weight);
    return at == weights->end() ? give(weight) : in_numbers(give(weight), at->second.steps, at->second.transposed);
  };
}

}  // namespace nongemm::tensorrt
