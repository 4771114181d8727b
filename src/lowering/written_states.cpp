#include "lowering/written_states.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "graph/state.h"
#include "lowering/storage.h"

namespace nongemm::onnx {
namespace {

std::size_t uses_of(const GraphDef& graph, const std::string& name) {
  std::size_t uses = 0;
  for (const NodeDef& node : graph.nodes) {
    uses += static_cast<std::size_t>(std::count(node.inputs.begin(), node.inputs.end(), name));
    for (const Attribute& attribute : node.attributes) {
      if (const auto* body = std::get_if<std::shared_ptr<GraphDef>>(&attribute.value)) uses += uses_of(**body, name);
    }
  }
  return uses;
}

}  // namespace

Graph with_written_states(Graph graph) {
  const std::vector<ValueId> written = StorageMap(graph).written_from_outside({kBodyBlock});
  for (const State& state : states_of(graph)) {
    if (state.input == kNoId || state.output != kNoId) continue;
    const ValueId value = graph.inputs[state.input].value;
    if (!std::binary_search(written.begin(), written.end(), value)) continue;
    graph.outputs.push_back({.value = value, .name = std::string(kPresent) + state.name});
  }
  return graph;
}

bool is_scattered_into(const GraphDef& graph, const std::string& input, const std::string& output) {
  const auto scatters = [&](const NodeDef& node) {
    return (node.type == "ScatterElements" || node.type == "ScatterND") && node.inputs.at(0) == input &&
           node.outputs.at(0) == output;
  };
  return uses_of(graph, input) == 1 && std::any_of(graph.nodes.begin(), graph.nodes.end(), scatters);
}

}  // namespace nongemm::onnx
