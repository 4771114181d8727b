#include "import/common/protect_state.h"

#include <map>
#include <set>
#include <variant>
#include <vector>

#include "ops/foreign.h"
#include "ops/op.h"

namespace nongemm {
namespace {

/// Statistics that a normalization in training mode updates, which its schema does not say.
bool updates_statistics(const Node& node, const Op& op) {
  const int mode = op.schema.find_arg(node.op == "aten.batch_norm.default" ? "training" : "use_input_stats");
  if (mode < 0 || op.schema.find_arg("running_mean") < 0) return false;
  const auto* on = std::get_if<bool>(&node.args[static_cast<std::size_t>(mode)]);
  return on != nullptr && *on;
}

/// Calls `visit` for the operands that a node writes into.
template <typename Visit>
void for_each_written(const Node& node, Visit&& visit) {
  const Op* op = table_entry(node);
  for (std::size_t i = 0; i < node.args.size(); ++i) {
    bool written = false;
    if (op != nullptr) {
      const std::string& name = op->schema.args[i].name;
      const bool statistic = name == "running_mean" || name == "running_var";
      written = op->schema.args[i].written || (statistic && updates_statistics(node, *op));
    } else {
      written = foreign_writes(node, i);
    }
    if (written) for_each_use(node.args[i], visit);
  }
}

class Protector {
 public:
  explicit Protector(Graph& graph) : graph_(graph), root_(graph.values.size()) {
    for (ValueId id = 0; id < root_.size(); ++id) root_[id] = id;
  }

  void run() {
    std::set<ValueId> state;
    for (const Input& input : graph_.inputs) state.insert(input.value);
    for (const Weight& weight : graph_.weights) state.insert(weight.value);
    for (const Constant& constant : graph_.constants) state.insert(constant.value);
    std::set<ValueId> written;
    for (const NodeId id : graph_.blocks[kBodyBlock].nodes) {
      const Node& node = graph_.nodes[id];
      for_each_written(node, [&](ValueId value) {
        if (state.contains(root_[value])) written.insert(root_[value]);
      });
      follow_storage(node);
    }
    if (!written.empty()) insert_copies(written);
  }

 private:
  /// Results that share their first operand's storage, or may: nothing is known of an operator outside the table.
  void follow_storage(const Node& node) {
    ValueId first = kNoId;
    for_each_written(node, [&](ValueId value) { first = first == kNoId ? value : first; });  // not always the first
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId value) { first = first == kNoId ? value : first; });
    }
    if (first == kNoId) return;
    for (const ValueId output : node.outputs) {
      if (!node.arg_names.empty() || graph_.values[output].type.alias) root_[output] = root_[first];
    }
  }

  void insert_copies(const std::set<ValueId>& written) {
    const auto shift = static_cast<NodeId>(written.size());
    for (Value& value : graph_.values) {
      if (value.producer != kNoId) value.producer += shift;
    }
    std::vector<Node> copies;
    std::vector<NodeId> order;
    std::map<ValueId, ValueId> copy_of;
    for (const ValueId original : written) {
      const auto copy = static_cast<ValueId>(graph_.values.size());
      const auto id = static_cast<NodeId>(copies.size());
      Value value = graph_.values[original];
      value.producer = id;
      graph_.values.push_back(std::move(value));
      copy_of[original] = copy;
      Node node;
      node.op = "aten.clone.default";
      node.args = {Use{original}, std::monostate()};
      node.outputs = {copy};
      copies.push_back(std::move(node));
      order.push_back(id);
    }
    for (Node& node : graph_.nodes) {
      for (Argument& argument : node.args) redirect(argument, copy_of);
      copies.push_back(std::move(node));
    }
    graph_.nodes = std::move(copies);
    for (const NodeId id : graph_.blocks[kBodyBlock].nodes) order.push_back(id + shift);
    graph_.blocks[kBodyBlock].nodes = std::move(order);
    for (Output& output : graph_.outputs) {
      if (const auto at = copy_of.find(output.value); at != copy_of.end()) output.value = at->second;
    }
  }

  static void redirect(Argument& argument, const std::map<ValueId, ValueId>& copy_of) {
    const auto replace = [&](ValueId& value) {
      if (const auto at = copy_of.find(value); at != copy_of.end()) value = at->second;
    };
    if (auto* use = std::get_if<Use>(&argument)) {
      replace(use->value);
    } else if (auto* uses = std::get_if<std::vector<Use>>(&argument)) {
      for (Use& element : *uses) replace(element.value);
    }
  }

  Graph& graph_;
  std::vector<ValueId> root_;  // where a value's storage comes from
};

}  // namespace

void protect_state(Graph& graph) { Protector(graph).run(); }

}  // namespace nongemm
