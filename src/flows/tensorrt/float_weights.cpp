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

  bool operator==(const Steps&) const = default;
};

/// What names stand for in a graph of ONNX, and how often each is read.
struct Names {
  explicit Names(onnx::GraphDef& given) : graph(given) {
    for (std::size_t i = 0; i < graph.initializers.size(); ++i) {
      initializers[graph.initializers[i].name] = i;
      if (graph.initializers[i].is_weight()) ++times_stored[graph.initializers[i].weight];
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

struct WeightSteps {
  Steps steps;
  bool transposed = false;
};

std::span<const std::int64_t> integers_of(const Initializer& initializer) {
  return {initializer.data.as<std::int64_t>(), static_cast<std::size_t>(element_count(initializer.shape))};
}

/// An int8 tensor of the file, whose every use is a DequantizeLinear with the same steps.
struct Found {
  Initializer* tensor = nullptr;
  Steps steps;
  std::vector<const NodeDef*> dequantized;
};

/// What a DequantizeLinear reads, as it lies in the file, and the shape that it has there.
Found found_at(const NodeDef& node, Names& names, const onnx::GiveWeight& give) {
  constexpr std::size_t kZeroPoint = 2;
  if (node.type != "DequantizeLinear" || node.inputs.size() <= kZeroPoint) return {};
  const Initializer* zeros = names.initializer(node.inputs[kZeroPoint]);
  if (zeros == nullptr || zeros->is_weight() || zeros->dtype != DType::kInt8) return {};
  const std::span points(zeros->data.as<std::int8_t>(), static_cast<std::size_t>(element_count(zeros->shape)));
  if (std::any_of(points.begin(), points.end(), [](std::int8_t point) { return point != 0; })) return {};
  const NodeDef* reshape = names.producer(node.inputs[0]);
  if (reshape != nullptr && (reshape->type != "Reshape" || names.uses[reshape->inputs[0]] != 1)) return {};
  Initializer* tensor = names.initializer(reshape != nullptr ? reshape->inputs[0] : node.inputs[0]);
  if (tensor == nullptr || tensor->dtype != DType::kInt8) return {};
  if (tensor->is_weight() && names.times_stored[tensor->weight] != 1) return {};
  Shape shape = tensor->shape;
  if (reshape != nullptr) {
    const Initializer* to = names.initializer(reshape->inputs.at(1));
    if (to == nullptr || to->is_weight()) return {};
    const auto sizes = integers_of(*to);
    if (std::any_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size < 1; })) return {};
    shape.assign(sizes.begin(), sizes.end());
  }
  const std::optional<Steps> steps = steps_of(node, shape, names, give);
  return steps ? Found{tensor, *steps, {&node}} : Found{};
}

/// By what is dequantized: a weight, or a weight reshaped.
std::map<std::string, Found> find_weights(onnx::GraphDef& graph, Names& names, const onnx::GiveWeight& give) {
  std::map<std::string, Found> all;
  for (const NodeDef& node : graph.nodes) {
    Found found = found_at(node, names, give);
    if (found.tensor == nullptr) continue;
    const auto [at, is_new] = all.emplace(node.inputs[0], found);
    if (!is_new && at->second.steps == found.steps) at->second.dequantized.push_back(&node);
  }
  std::erase_if(all, [&](const auto& entry) {
    return names.uses[entry.first] != static_cast<int>(entry.second.dequantized.size());
  });
  return all;
}

}  // namespace

onnx::GiveWeight quantize_weights_in_engine(onnx::ModelDef& model, onnx::GiveWeight give) {
  Names names(model.graph);
  const auto weights = std::make_shared<std::map<std::size_t, WeightSteps>>();
  std::map<std::string, NodeDef> before;  // the first DequantizeLinear of each, by its result
  std::map<std::string, std::string> quantized;
  for (auto& [name, found] : find_weights(model.graph, names, give)) {
    Initializer& tensor = *found.tensor;
    if (tensor.is_weight()) {
      (*weights)[tensor.weight] = {found.steps, tensor.transposed};
    } else {  // folded: what lay before it is done already
      tensor.data = in_numbers(tensor.data, found.steps, false);
    }
    tensor.dtype = DType::kFloat32;
    NodeDef quantize = *found.dequantized.front();
    quantize.type = "QuantizeLinear";
    quantize.name += "_quantize";
    quantize.outputs = {name + "_quantized"};
    quantized[name] = quantize.outputs[0];
    before.emplace(found.dequantized.front()->outputs[0], std::move(quantize));
  }
  std::vector<NodeDef> nodes;
  for (NodeDef& node : model.graph.nodes) {
    const auto at = before.find(node.outputs.empty() ? std::string() : node.outputs[0]);
    if (at != before.end()) nodes.push_back(std::move(at->second));
    if (node.type == "DequantizeLinear" && quantized.contains(node.inputs[0])) {
      node.inputs[0] = quantized.at(node.inputs[0]);
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
