#include "passes/tensor_parallel/cut_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"
#include "passes/linear_layers.h"

namespace nongemm::passes {
namespace {

/// Nodes by what they use.
std::map<ValueId, std::vector<NodeId>> users_of(const Graph& graph) {
  std::map<ValueId, std::vector<NodeId>> users;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    for (const Argument& argument : graph.nodes[id].args) {
      for_each_use(argument, [&](ValueId value) { users[value].push_back(id); });
    }
  }
  return users;
}

std::optional<std::int64_t> known(const Argument& argument) {
  const auto* number = std::get_if<std::int64_t>(&argument);
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

class Cutter {
 public:
  Cutter(const Graph& graph, const ParallelPlan& plan, std::int64_t ranks)
      : graph_(graph), plan_(plan), ranks_(ranks), users_(users_of(graph)) {}

  CutWeights run() {
    for (const LinearLayer& layer : find_linear_layers(graph_)) {
      linear_.insert(layer.weight);
      const std::string module = graph_.scope_path(graph_.nodes[layer.node].scope);
      if (const PlanRow* row = plan_.find(module)) cut_layer(layer, module, row->cut);
    }
    for (const Weight& weight : graph_.weights) {
      if (linear_.contains(weight.value)) continue;
      if (const PlanRow* row = plan_.find(weight.name)) cut_stack(weight, row->cut);
    }
    if (result_.placements.empty() && result_.gathered.empty()) {
      throw Error(ErrorKind::kUsage, fmt::format("the plan of {} cuts nothing of {}", plan_.source, graph_.name),
                  "its rows are ends of modules' paths: nongemm inspect MODEL --stream prints those");
    }
    return std::move(result_);
  }

 private:
  std::int64_t size(ValueId value, std::size_t dim) const { return graph_.values[value].type.shape[dim]; }

  void require_divides(const std::string& module, std::int64_t size, const char* what) const {
    if (size % ranks_ == 0) return;
    throw Error(ErrorKind::kUsage, fmt::format("{}: {} {} do not divide by {} ranks", module, size, what, ranks_),
                "choose a number of ranks that divides them, or leave the module out: --tensor-parallel-plan FILE");
  }

  void cut_layer(const LinearLayer& layer, const std::string& module, Cut cut) {
    const std::size_t outputs = layer.transposed ? 1 : 0;
    const std::size_t inputs = 1 - outputs;
    switch (cut) {
      case Cut::kWhole:
        return;
      case Cut::kColumns: {
        const std::vector<std::int64_t> pieces = pieces_of(layer.node, size(layer.weight, outputs));
        for (const std::int64_t piece : pieces) require_divides(module, piece, "outputs");
        put(layer.weight, module, Placement::cut(outputs, pieces));
        if (layer.bias != kNoId) put(layer.bias, module, Placement::cut(0, pieces));
        return;
      }
      case Cut::kRows:
        require_divides(module, size(layer.weight, inputs), "inputs");
        put(layer.weight, module, Placement::cut(inputs, {size(layer.weight, inputs)}));
        return;
      case Cut::kGathered:
        return gather(layer, module, outputs);
    }
  }

  /// A head: its vocabulary is cut where it divides.
  void gather(const LinearLayer& layer, const std::string& module, std::size_t outputs) {
    const std::int64_t count = size(layer.weight, outputs);
    if (count % ranks_ != 0) {
      result_.left_whole.push_back(fmt::format("{}: {} outputs do not divide by {}", module, count, ranks_));
      return;
    }
    result_.gathered.insert(layer.node);
    if (layer.bias != kNoId) put(layer.bias, module, Placement::cut(0, {count}));
    const auto is_linear = [&](NodeId user) {
      return user == layer.node || graph_.nodes[user].op != "aten.embedding.default";
    };
    const std::vector<NodeId>& users = users_[layer.weight];
    if (std::all_of(users.begin(), users.end(), is_linear)) {
      put(layer.weight, module, Placement::cut(outputs, {count}));
    } else {
      result_.of_whole_weight.insert(layer.node);
    }
  }

  /// Matrices of experts: [experts, out, in], transposed when they are used, or [experts, in, out]; and what goes with
  /// heads, in one dimension.
  void cut_stack(const Weight& weight, Cut cut) {
    const Shape& shape = graph_.values[weight.value].type.shape;
    if (cut == Cut::kWhole || users_[weight.value].empty()) return;
    NodeId user = users_[weight.value].front();
    const bool transposed =
        graph_.nodes[user].op == "aten.transpose.int" || graph_.nodes[user].op == "aten.permute.default";
    if (shape.size() == 3 && transposed) user = users_[graph_.nodes[user].outputs[0]].front();
    const bool columns = cut != Cut::kRows;
    const std::size_t dim = shape.size() != 3 ? shape.size() - 1 : columns != transposed ? 2 : 1;
    std::vector<std::int64_t> pieces{shape[dim]};
    if (columns && shape.size() == 3) pieces = pieces_of(user, shape[dim]);
    for (const std::int64_t piece : pieces) require_divides(weight.name, piece, columns ? "outputs" : "inputs");
    put(weight.value, weight.name, Placement::cut(dim, pieces));
  }

  void put(ValueId weight, const std::string& module, Placement placement) {
    const auto [place, is_new] = result_.placements.emplace(weight, placement);
    if (is_new || place->second == placement) return;
    throw Error(ErrorKind::kUnsupported, module + " shares a weight that is cut in another way",
                "leave the module out: --tensor-parallel-plan FILE");
  }

  /// Stretches of a layer's outputs that later nodes take apart: queries, keys and values; a gate and what it lets
  /// through. One where nobody does.
  std::vector<std::int64_t> pieces_of(NodeId node, std::int64_t size) {
    ValueId value = graph_.nodes[node].outputs[0];
    std::set<std::int64_t> bounds{0, size};
    while (true) {
      const std::vector<NodeId>& users = users_[value];
      for (const NodeId user : users) add_bounds(graph_.nodes[user], value, size, bounds);
      if (bounds.size() > 2 || users.size() != 1) break;
      const Node& next = graph_.nodes[users.front()];
      const bool passes_on = next.op == "aten.view.default" || next.op == "aten.masked_fill.Scalar";
      if (!passes_on || graph_.values[next.outputs[0]].type.shape.back() != size) break;
      value = next.outputs[0];
    }
    std::vector<std::int64_t> pieces;
    for (auto at = std::next(bounds.begin()); at != bounds.end(); ++at) pieces.push_back(*at - *std::prev(at));
    return pieces;
  }

  void add_bounds(const Node& node, ValueId value, std::int64_t size, std::set<std::int64_t>& bounds) const {
    const Shape& shape = graph_.values[value].type.shape;
    const auto last = static_cast<std::int64_t>(shape.size()) - 1;
    const auto is_last = [&](const Argument& dim) { return known(dim) == last || known(dim) == -1; };
    const bool splits =
        node.op == "aten.split.Tensor" || node.op == "aten.split_with_sizes.default" || node.op == "aten.chunk.default";
    if (splits && is_last(node.args[2])) {
      std::int64_t end = 0;
      for (const ValueId part : node.outputs) bounds.insert(end += graph_.values[part].type.shape.back());
    }
    if (node.op != "aten.slice.Tensor" || !is_last(node.args[1]) || known(node.args[4]) != 1) return;
    for (const std::size_t bound : {2U, 3U}) {
      const std::int64_t at = known(node.args[bound]).value_or(0);
      if (at > -size && at < size) bounds.insert(at < 0 ? at + size : at);
    }
  }

  const Graph& graph_;
  const ParallelPlan& plan_;
  std::int64_t ranks_;
  std::map<ValueId, std::vector<NodeId>> users_;
  std::set<ValueId> linear_;
  CutWeights result_;
};

}  // namespace

CutWeights cut_weights(const Graph& graph, const ParallelPlan& plan, std::int64_t ranks) {
  return Cutter(graph, plan, ranks).run();
}

}  // namespace nongemm::passes
