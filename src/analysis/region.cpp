#include "analysis/region.h"

#include <algorithm>

#include "analysis/steps.h"

namespace nongemm {
namespace {

bool contains(std::span<const NodeId> nodes, NodeId node) {
  return std::binary_search(nodes.begin(), nodes.end(), node);
}

/// The first tensor operand: what a view is of.
ValueId viewed(const Node& node) {
  ValueId first = kNoId;
  for (const Argument& argument : node.args) {
    for_each_use(argument, [&](ValueId value) {
      if (first == kNoId) first = value;
    });
  }
  return first;
}

}  // namespace

Regions::Regions(const Graph& graph, const std::vector<NodeRow>& nodes)
    : graph_(graph),
      rows_(nodes),
      roots_(graph.values.size()),
      users_(graph.values.size()),
      leaves_(graph.values.size()) {
  for (ValueId value = 0; value < roots_.size(); ++value) roots_[value] = value;
  // Nodes stand after what they use, within and across blocks.
  for (const Node& node : graph.nodes) {
    for (const ValueId output : node.outputs) {
      const ValueId base = graph.values[output].type.alias ? viewed(node) : kNoId;
      if (base != kNoId) roots_[output] = roots_[base];
    }
  }
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    if (!is_compute(rows_[id])) continue;
    for (const Argument& argument : graph.nodes[id].args) {
      for_each_use(argument, [&](ValueId value) { users_[root(value)].push_back(id); });
    }
  }
  for (const Output& output : graph.outputs) leaves_[root(output.value)] = true;
  for (const Block& block : graph.blocks) {
    for (const ValueId result : block.results) leaves_[root(result)] = true;
  }
}

double Regions::bytes_of(ValueId value) const {
  const Type& type = graph_.values[value].type;
  const std::int64_t count = element_count(type.shape);
  return count < 0 ? 0 : static_cast<double>(count) * static_cast<double>(size_of(type.dtype));
}

Cost Regions::cost_within(std::span<const NodeId> nodes, NodeId id) const {
  Cost cost = rows_[id].cost;
  if (nodes.size() == 1 || !is_compute(rows_[id])) return cost;
  for (const Argument& argument : graph_.nodes[id].args) {
    for_each_use(argument, [&](ValueId value) {
      const NodeId producer = graph_.values[root(value)].producer;
      if (producer != kNoId && contains(nodes, producer)) cost.bytes_read -= bytes_of(value);
    });
  }
  for (const ValueId output : graph_.nodes[id].outputs) {
    if (root(output) != output || leaves_[output] || users_[output].empty()) continue;
    const auto inside = [&](NodeId user) { return contains(nodes, user); };
    if (std::all_of(users_[output].begin(), users_[output].end(), inside)) cost.bytes_written -= bytes_of(output);
  }
  // Not std::max(0.0, ...), which would make 0 of what is not known.
  cost.bytes_read = std::max(cost.bytes_read, 0.0);
  cost.bytes_written = std::max(cost.bytes_written, 0.0);
  return cost;
}

Cost Regions::cost_of(std::span<const NodeId> nodes, std::span<const int> shared) const {
  Cost sum;
  for (const NodeId id : nodes) {
    const Cost own = cost_within(nodes, id);
    const double part = 1.0 / std::max(1, shared[id]);
    sum.flops += part * own.flops;
    sum.bytes_read += part * own.bytes_read;
    sum.bytes_written += part * own.bytes_written;
  }
  return sum;
}

}  // namespace nongemm
