#include "programs/ort/dataflow.h"

#include "base/error.h"
#include "onnx/messages.h"
#include "onnx/names.h"

namespace nongemm::ort_flow {
namespace {

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
    flow.nodes.push_back({def.name, def.type, {}, def.outputs, onnx::graph_nodes_in(def.name)});
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

void read_graph(std::string_view bytes, int depth, Dataflow& flow) {
  if (depth > onnx::kMostNestedBodies) throw Error(ErrorKind::kBadInput, "subgraphs are nested too deeply");
  const onnx::GraphMessage graph = onnx::read_graph_message(bytes);
  for (const std::string_view tensor : graph.initializers) flow.constants.insert(onnx::tensor_name(tensor));
  for (const std::string_view node : graph.nodes) {
    onnx::NodeMessage message = onnx::read_node_message(node);
    std::erase(message.inputs, "");
    const std::size_t place = flow.nodes.size();
    flow.nodes.push_back({message.name, message.type, std::move(message.inputs), message.outputs, {}});
    for (const std::string_view body : onnx::bodies_of(message)) read_graph(body, depth + 1, flow);
    add_uses_of_bodies(flow, place, place + 1);
    finish_node(flow, place);
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
  try {
    read_graph(onnx::read_model_message(model).graph, 0, flow);
  } catch (const Error& error) {
    throw Error(error.kind(), origin + ": " + error.what());
  }
  return flow;
}

}  // namespace nongemm::ort_flow
