#include <algorithm>
#include <unordered_set>

#include "onnx/graph_lowering.h"

namespace nongemm::onnx {
namespace {

template <typename Visit>
void for_each_subgraph(const NodeDef& node, Visit&& visit) {
  for (const Attribute& attribute : node.attributes) {
    if (const auto* graph = std::get_if<std::shared_ptr<GraphDef>>(&attribute.value)) visit(**graph);
  }
}

/// Names a graph uses, its own results among them.
void add_uses(const GraphDef& graph, std::unordered_set<std::string>& names) {
  for (const ValueDef& output : graph.outputs) names.insert(output.name);
  for (const NodeDef& node : graph.nodes) {
    names.insert(node.inputs.begin(), node.inputs.end());
    for_each_subgraph(node, [&](const GraphDef& inner) { add_uses(inner, names); });
  }
}

}  // namespace

void rename_everywhere(GraphDef& graph, const std::string& from, const std::string& to) {
  for (ValueDef& output : graph.outputs) {
    if (output.name == from) output.name = to;
  }
  for (NodeDef& node : graph.nodes) {
    std::replace(node.inputs.begin(), node.inputs.end(), from, to);
    std::replace(node.outputs.begin(), node.outputs.end(), from, to);
    for_each_subgraph(node, [&](GraphDef& inner) { rename_everywhere(inner, from, to); });
  }
}

void prune(GraphDef& graph) {
  std::unordered_set<std::string> needed;
  for (const ValueDef& output : graph.outputs) needed.insert(output.name);
  std::vector<NodeDef> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool used = std::any_of(node->outputs.begin(), node->outputs.end(),
                                  [&](const std::string& output) { return needed.contains(output); });
    if (!used) continue;
    needed.insert(node->inputs.begin(), node->inputs.end());
    for_each_subgraph(*node, [&](GraphDef& inner) {
      prune(inner);
      add_uses(inner, needed);
    });
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  std::erase_if(graph.initializers, [&](const Initializer& tensor) { return !needed.contains(tensor.name); });
}

}  // namespace nongemm::onnx
