#include "passes/fuse/places.h"

#include <algorithm>
#include <cmath>

#include "ops/op.h"

namespace nongemm::passes {

Search::Search(const Graph& graph)
    : graph_(graph), users_(graph.values.size()), block_(graph.nodes.size(), kNoId), root_(graph.values.size()) {
  for (std::size_t i = 0; i < root_.size(); ++i) root_[i] = static_cast<ValueId>(i);
  for (const Weight& weight : graph.weights) weights_.insert(weight.value);
  for (std::size_t i = 0; i < graph.blocks.size(); ++i) {
    for (const NodeId node : graph.blocks[i].nodes) block_[node] = static_cast<BlockId>(i);
    for (const ValueId value : graph.blocks[i].results) users_[value].push_back(kNoId);
  }
  for (const Output& output : graph.outputs) users_[output.value].push_back(kNoId);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId value) { users_[value].push_back(static_cast<NodeId>(i)); });
    }
    const ValueId first = operand(node, 0);
    for (const ValueId output : node.outputs) {
      if (first != kNoId && graph.values[output].type.alias) root_[output] = root_[first];
    }
    const Op* op = OpTable::get().find(node.op);
    for (std::size_t at = 0; at < node.args.size(); ++at) {
      // Of an operator that is not in the table nobody knows what it writes.
      if (op != nullptr && !op->schema.args.at(at).written) continue;
      for_each_use(node.args[at], [&](ValueId value) { written_.insert(root_[value]); });
    }
  }
}

bool Search::alike(ValueId a, ValueId b) const {
  const Type& x = type(a);
  const Type& y = type(b);
  const bool known = std::find(x.shape.begin(), x.shape.end(), kDynamic) == x.shape.end();
  return known && x.kind == Type::Kind::kTensor && x.kind == y.kind && x.dtype == y.dtype && x.shape == y.shape &&
         x.strides == y.strides;
}

bool Search::keeps_layout(ValueId of, ValueId result) const {
  Node copy;
  copy.op = "aten.clone.default";
  copy.args = {Use{of}, std::monostate()};
  const Type made = infer_types(graph_, copy, OpTable::get().at(copy.op))[0];
  const Type& there = type(result);
  const bool known = std::find(made.shape.begin(), made.shape.end(), kDynamic) == made.shape.end();
  return known && made.dtype == there.dtype && made.shape == there.shape && made.strides == there.strides;
}

const Node* Search::made_by(ValueId value, std::string_view op) const {
  if (value == kNoId || maker(value) == kNoId) return nullptr;
  const Node& node = graph_.nodes[maker(value)];
  return node.op == op ? &node : nullptr;
}

const Node* Search::only_user(ValueId value) const {
  const std::vector<NodeId>& users = users_[value];
  return users.size() == 1 && users[0] != kNoId ? &graph_.nodes[users[0]] : nullptr;
}

ValueId Search::operand(const Node& node, std::size_t position) {
  if (position >= node.args.size()) return kNoId;
  const auto* use = std::get_if<Use>(&node.args[position]);
  return use != nullptr ? use->value : kNoId;
}

ValueId Search::other_operand(const Node& node, ValueId value) {
  const ValueId first = operand(node, 0);
  return first == value ? operand(node, 1) : first;
}

std::optional<double> Search::number(const Node& node, std::size_t position) {
  if (position >= node.args.size()) return std::nullopt;
  if (const auto* real = std::get_if<double>(&node.args[position])) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&node.args[position])) return static_cast<double>(*integer);
  return std::nullopt;
}

bool Search::is_number(const Node& node, std::size_t position, double value) {
  const std::optional<double> given = number(node, position);
  return given && std::abs(*given - value) <= 1e-6 * std::abs(value);
}

ValueId Search::converted(ValueId value, DType dtype) const {
  if (type(value).dtype != dtype) return kNoId;
  for (const std::string_view op : {"aten.to.dtype", "aten._to_copy.default", "aten.type_as.default"}) {
    if (const Node* node = made_by(value, op)) return operand(*node, 0);
  }
  return kNoId;
}

void Search::add_maker(ValueId converted_value, std::vector<NodeId>& gone) const {
  if (!type(converted_value).alias) gone.push_back(maker(converted_value));
}

bool Search::can_go(const Place& place) const {
  std::set<NodeId> inside(place.gone.begin(), place.gone.end());
  for (const auto& [node, replacement] : place.replaced) inside.insert(node);
  const BlockId block = block_[*inside.begin()];
  for (const NodeId id : inside) {
    const Node& node = graph_.nodes[id];
    if (block_[id] != block || !node.blocks.empty()) return false;
    for (const Argument& argument : node.args) {
      bool written = false;
      for_each_use(argument, [&](ValueId value) { written = written || is_written(value); });
      if (written) return false;
    }
    // What is left may be written by those who come after it, unless something of the place still reads it.
    if (place.replaced.size() == 1 && place.replaced.contains(id)) continue;
    for (const ValueId output : node.outputs) {
      if (is_written(output)) return false;
    }
  }
  return std::all_of(place.gone.begin(), place.gone.end(), [&](NodeId id) {
    const std::vector<ValueId>& outputs = graph_.nodes[id].outputs;
    return std::all_of(outputs.begin(), outputs.end(), [&](ValueId output) {
      return std::all_of(users_[output].begin(), users_[output].end(),
                         [&](NodeId user) { return inside.contains(user); });
    });
  });
}

}  // namespace nongemm::passes
