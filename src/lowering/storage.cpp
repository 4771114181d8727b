#include "lowering/storage.h"

#include <algorithm>
#include <numeric>

#include "ops/foreign.h"

namespace nongemm::onnx {

ValueId written_operand(const Graph& graph, const Node& node) {
  const Op* op = table_entry(node);
  if (op == nullptr || !node.blocks.empty()) return kNoId;
  for (std::size_t i = 0; i < op->schema.args.size() && i < node.args.size(); ++i) {
    const auto* use = std::get_if<Use>(&node.args[i]);
    if (op->schema.args[i].written && use != nullptr && use->value < graph.values.size()) return use->value;
  }
  return kNoId;
}

bool is_optional_slice(const Graph& graph, const Node& node) {
  const auto* condition = node.blocks.empty() ? nullptr : std::get_if<Use>(&node.args.at(0));
  if (condition == nullptr) return false;
  const NodeId producer = graph.values[condition->value].producer;
  return producer != kNoId && graph.nodes[producer].op == "nongemm.slice_cuts.default";
}

StorageMap::StorageMap(const Graph& graph)
    : graph_(graph), same_(graph.values.size()), base_(graph.values.size()), viewed_(graph.values.size(), kNoId) {
  std::iota(same_.begin(), same_.end(), ValueId{0});
  std::iota(base_.begin(), base_.end(), ValueId{0});
  read_block(kBodyBlock);
}

void StorageMap::read_block(BlockId block) {
  for (const NodeId id : graph_.blocks[block].nodes) {
    const Node& node = graph_.nodes[id];
    for (const BlockId inner : node.blocks) read_block(inner);
    read_node(node);
  }
}

void StorageMap::read_node(const Node& node) {
  if (is_optional_slice(graph_, node)) {
    same_[node.outputs.at(0)] = same_[graph_.blocks[node.blocks[0]].results.at(0)];
    return;
  }
  if (!node.blocks.empty()) return;
  if (const ValueId target = written_operand(graph_, node); target != kNoId) {
    for (const ValueId output : node.outputs) same_[output] = same_[target];
    return;
  }
  const auto* first = node.args.empty() ? nullptr : std::get_if<Use>(&node.args[0]);
  if (first == nullptr || first->value == kNoId) return;
  for (const ValueId output : node.outputs) {
    if (!graph_.values[output].type.alias) continue;
    viewed_[output] = same_[first->value];
    base_[output] = base(first->value);
  }
}

void StorageMap::collect_writes(BlockId block, std::vector<ValueId>& written, std::vector<bool>& inside) const {
  for (const ValueId parameter : graph_.blocks[block].parameters) inside[parameter] = true;
  for (const NodeId id : graph_.blocks[block].nodes) {
    const Node& node = graph_.nodes[id];
    for (const BlockId inner : node.blocks) collect_writes(inner, written, inside);
    for (const ValueId output : node.outputs) inside[output] = true;
    if (const ValueId target = written_operand(graph_, node); target != kNoId) written.push_back(base(target));
  }
}

std::vector<ValueId> StorageMap::written_from_outside(const std::vector<BlockId>& blocks) const {
  std::vector<ValueId> written;
  std::vector<bool> inside(graph_.values.size(), false);
  for (const BlockId block : blocks) collect_writes(block, written, inside);
  std::erase_if(written, [&](ValueId value) { return inside[value]; });
  std::sort(written.begin(), written.end());
  written.erase(std::unique(written.begin(), written.end()), written.end());
  return written;
}

}  // namespace nongemm::onnx
