#include "flows/torch/capturable.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "ops/foreign.h"

namespace nongemm::torch_flow {
namespace {

std::vector<bool> used_values(const Graph& graph) {
  std::vector<bool> used(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    for (const Argument& argument : node.args) for_each_use(argument, [&](ValueId id) { used[id] = true; });
  }
  for (const Block& block : graph.blocks) {
    for (const ValueId id : block.results) used[id] = true;
  }
  for (const Output& output : graph.outputs) used[output.value] = true;
  return used;
}

[[noreturn]] void refuse(const Graph& graph, const Node& node, const std::string& why) {
  const std::string scope = graph.scope_path(node.scope);
  throw Error(ErrorKind::kUnsupported, "this model cannot be captured for replay: " + node.op +
                                           (scope.empty() ? "" : " in " + scope) + " " + why);
}

bool shape_unknown(const Type& type) {
  return std::find(type.shape.begin(), type.shape.end(), kDynamic) != type.shape.end();
}

/// LibTorch multiplies groups on the device in bf16, on the GPUs that it has kernels for; otherwise the host reads
/// where they end.
bool reads_groups_on_host(const Graph& graph, const Node& node) {
  if (!node.op.starts_with("aten._grouped_mm") && !node.op.starts_with("transformers.grouped_mm_fallback"))
    return false;
  bool in_bf16 = true;
  for (std::size_t i = 0; i < std::min<std::size_t>(node.args.size(), 2); ++i) {
    for_each_use(node.args[i], [&](ValueId id) { in_bf16 &= graph.values[id].type.dtype == DType::kBFloat16; });
  }
  return !in_bf16;
}

}  // namespace

Graph without_host_checks(const Graph& graph) {
  const std::vector<bool> used = used_values(graph);
  Graph captured = graph;
  std::vector<NodeId> kept;
  for (const NodeId id : graph.blocks[kBodyBlock].nodes) {
    const Node& node = graph.nodes[id];
    if (!node.blocks.empty()) refuse(graph, node, "decides during the run what comes next");
    if (reads_groups_on_host(graph, node)) {
      refuse(graph, node, "makes the host read where each group ends, unless the model runs in bf16");
    }
    const Op* op = table_entry(node);
    if ((op != nullptr ? op->entry.group : guess_group(node.op)) == Group::kSynchronisation) {
      const bool wanted = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId v) { return used[v]; });
      if (wanted) refuse(graph, node, "makes the host wait for a value that it goes on with");
      continue;
    }
    for (const ValueId value : node.outputs) {
      if (shape_unknown(graph.values[value].type)) refuse(graph, node, "has a result whose shape depends on the data");
    }
    kept.push_back(id);
  }
  captured.blocks[kBodyBlock].nodes = std::move(kept);
  return captured;
}

}  // namespace nongemm::torch_flow
