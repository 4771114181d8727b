#include "ops/stream.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "ops/op.h"

namespace nongemm {
namespace {

constexpr std::array<std::string_view, 7> kBookkeeping = {
    "aten::dropout",    "aten::alias", "aten::detach",     "aten::detach_",
    "aten::lift_fresh", "aten::empty", "aten::empty_like",
};

bool works(const Graph& graph, const Node& node, const Op& op) {
  if (std::find(kBookkeeping.begin(), kBookkeeping.end(), op.schema.name) != kBookkeeping.end()) return false;
  const bool keeps_storage = !node.outputs.empty() && graph.values[node.outputs[0]].type.alias;
  return !(op.schema.name == "aten::to" && keeps_storage);
}

std::vector<Shape> operand_shapes(const Graph& graph, const Node& node) {
  std::vector<Shape> shapes;
  for (const Argument& argument : node.args) {
    const auto* use = std::get_if<Use>(&argument);
    shapes.push_back(use == nullptr || use->value == kNoId ? Shape{} : graph.values[use->value].type.shape);
  }
  return shapes;
}

}  // namespace

std::vector<StreamEntry> operator_stream(const Graph& graph) {
  std::vector<StreamEntry> stream;
  for (const NodeId id : graph.blocks[kBodyBlock].nodes) {
    const Node& node = graph.nodes[id];
    const Op& op = OpTable::get().at(node.op);
    if (!works(graph, node, op)) continue;
    stream.push_back(
        {op.schema.name, operand_shapes(graph, node), graph.scope_path(node.scope), graph.scopes[node.scope].type});
  }
  return stream;
}

}  // namespace nongemm
