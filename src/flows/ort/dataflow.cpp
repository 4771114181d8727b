#include "flows/ort/dataflow.h"

#include <protozero/pbf_message.hpp>

#include "base/error.h"

namespace nongemm::ort_flow {
namespace {

// Field numbers of onnx.proto.
enum class ModelField : protozero::pbf_tag_type { kGraph = 7 };
enum class GraphField : protozero::pbf_tag_type { kNode = 1, kInitializer = 5 };
enum class NodeField : protozero::pbf_tag_type { kInput = 1, kOutput = 2, kName = 3, kType = 4, kAttribute = 5 };
enum class AttributeField : protozero::pbf_tag_type { kGraph = 6 };
enum class TensorField : protozero::pbf_tag_type { kName = 8 };

/// Bodies of bodies of bodies: deeper ones are damage.
constexpr int kMostDepth = 16;

/// A control node depends on what its bodies take from outside: whatever they use that they do not compute.
void add_uses_of_bodies(Dataflow& flow, std::size_t node, std::size_t bodies_begin) {
  std::unordered_set<std::string> inside;
  for (std::size_t i = bodies_begin; i < flow.nodes.size(); ++i) {
    inside.insert(flow.nodes[i].outputs.begin(), flow.nodes[i].outputs.end());
  }
  std::vector<std::string>& inputs = flow.nodes[node].inputs;
  std::unordered_set<std::string> known(inputs.begin(), inputs.end());
  for (std::size_t i = bodies_begin; i < flow.nodes.size(); ++i) {
    for (const std::string& input : flow.nodes[i].inputs) {
      if (!inside.contains(input) && known.insert(input).second) inputs.push_back(input);
    }
  }
}

void finish_node(Dataflow& flow, std::size_t node) {
  if (flow.nodes[node].type != "Constant") return;
  flow.constants.insert(flow.nodes[node].outputs.begin(), flow.nodes[node].outputs.end());
}

void add_graph(const onnx::GraphDef& graph, Dataflow& flow) {
  for (const onnx::Initializer& initializer : graph.initializers) flow.constants.insert(initializer.name);
  for (const onnx::NodeDef& def : graph.nodes) {
    const std::size_t place = flow.nodes.size();
    flow.nodes.push_back({def.name, def.type, {}, def.outputs});
    for (const std::string& input : def.inputs) {
      if (!input.empty()) flow.nodes[place].inputs.push_back(input);
    }
    for (const onnx::Attribute& attribute : def.attributes) {
      const auto* body = std::get_if<std::shared_ptr<onnx::GraphDef>>(&attribute.value);
      if (body != nullptr && *body) add_graph(**body, flow);
    }
    add_uses_of_bodies(flow, place, place + 1);
    finish_node(flow, place);
  }
}

void read_graph(protozero::data_view bytes, int depth, Dataflow& flow);

std::string name_of_tensor(protozero::data_view bytes) {
  protozero::pbf_message<TensorField> tensor(bytes);
  std::string name;
  while (tensor.next()) {
    if (tensor.tag() == TensorField::kName) {
      name = tensor.get_string();
    } else {
      tensor.skip();
    }
  }
  return name;
}

void read_attribute(protozero::data_view bytes, int depth, Dataflow& flow) {
  protozero::pbf_message<AttributeField> attribute(bytes);
  while (attribute.next()) {
    if (attribute.tag() == AttributeField::kGraph) {
      read_graph(attribute.get_view(), depth + 1, flow);
    } else {
      attribute.skip();
    }
  }
}

void read_node(protozero::data_view bytes, int depth, Dataflow& flow) {
  const std::size_t place = flow.nodes.size();
  flow.nodes.emplace_back();
  protozero::pbf_message<NodeField> message(bytes);
  DataflowNode node;
  while (message.next()) {
    switch (message.tag()) {
      case NodeField::kInput:
        node.inputs.push_back(message.get_string());
        if (node.inputs.back().empty()) node.inputs.pop_back();
        break;
      case NodeField::kOutput:
        node.outputs.push_back(message.get_string());
        break;
      case NodeField::kName:
        node.name = message.get_string();
        break;
      case NodeField::kType:
        node.type = message.get_string();
        break;
      case NodeField::kAttribute:
        read_attribute(message.get_view(), depth, flow);
        break;
      default:
        message.skip();
    }
  }
  flow.nodes[place] = std::move(node);
  add_uses_of_bodies(flow, place, place + 1);
  finish_node(flow, place);
}

void read_graph(protozero::data_view bytes, int depth, Dataflow& flow) {
  if (depth > kMostDepth) throw Error(ErrorKind::kBadInput, "subgraphs are nested too deeply");
  protozero::pbf_message<GraphField> graph(bytes);
  while (graph.next()) {
    switch (graph.tag()) {
      case GraphField::kNode:
        read_node(graph.get_view(), depth, flow);
        break;
      case GraphField::kInitializer:
        flow.constants.insert(name_of_tensor(graph.get_view()));
        break;
      default:
        graph.skip();
    }
  }
}

}  // namespace

Dataflow dataflow_of(const onnx::ModelDef& model) {
  Dataflow flow;
  add_graph(model.graph, flow);
  return flow;
}

Dataflow read_dataflow(std::string_view model, const std::string& origin) {
  Dataflow flow;
  bool found = false;
  try {
    protozero::pbf_message<ModelField> message(model.data(), model.size());
    while (message.next()) {
      if (message.tag() == ModelField::kGraph) {
        read_graph(message.get_view(), 0, flow);
        found = true;
      } else {
        message.skip();
      }
    }
  } catch (const protozero::exception& error) {
    throw Error(ErrorKind::kBadInput, origin + " is no ONNX model: " + error.what());
  }
  if (!found) throw Error(ErrorKind::kBadInput, origin + " is no ONNX model: it has no graph");
  return flow;
}

}  // namespace nongemm::ort_flow
