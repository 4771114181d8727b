#include "import/common/describe_inputs.h"

#include <string>
#include <vector>

namespace nongemm {
namespace {

/// Rows of the embedding that each value is looked up in, followed back through views and casts; 0 for none.
std::vector<std::int64_t> embedding_rows(const Graph& graph) {
  std::vector<std::int64_t> rows(graph.values.size(), 0);
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (node.op == "aten.embedding.default" && node.args.size() >= 2) {
      const auto* table = std::get_if<Use>(&node.args[0]);
      const auto* indices = std::get_if<Use>(&node.args[1]);
      if (table == nullptr || indices == nullptr) continue;
      const Shape& shape = graph.values[table->value].type.shape;
      if (!shape.empty()) rows[indices->value] = shape[0];
      continue;
    }
    const auto* first = node.args.empty() ? nullptr : std::get_if<Use>(&node.args[0]);
    const bool passes_on = node.op.starts_with("aten.to.") || node.op == "aten.clone.default" ||
                           (!node.outputs.empty() && graph.values[node.outputs[0]].type.alias);
    if (first != nullptr && passes_on && !node.outputs.empty() && rows[first->value] == 0) {
      rows[first->value] = rows[node.outputs[0]];
    }
  }
  return rows;
}

DType main_dtype(const Graph& graph) {
  for (const Weight& weight : graph.weights) {
    const DType dtype = graph.values[weight.value].type.dtype;
    if (!weight.buffer && is_floating(dtype)) return dtype;
  }
  return graph.values[graph.outputs[0].value].type.dtype;
}

}  // namespace

void describe_inputs(Graph& graph) {
  const std::vector<std::int64_t> rows = embedding_rows(graph);
  graph.attributes["dtype"] = name_of(main_dtype(graph));
  for (Input& input : graph.inputs) {
    const Type& type = graph.values[input.value].type;
    const std::int64_t limit = rows[input.value];
    if (is_floating(type.dtype)) {
      input.kind.content = InputKind::Content::kPixels;
    } else if (limit > 0) {
      input.kind = {InputKind::Content::kTokens, limit};
      if (type.shape.size() == 2) graph.attributes["sequence"] = std::to_string(type.shape[1]);
    } else if (type.dtype == DType::kBool || input.name.find("mask") != std::string::npos) {
      input.kind.content = InputKind::Content::kMask;
    }
    if (!graph.attributes.contains("batch") && !type.shape.empty()) {
      graph.attributes["batch"] = std::to_string(type.shape[0]);
    }
  }
}

}  // namespace nongemm
