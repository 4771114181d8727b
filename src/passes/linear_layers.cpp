#include "passes/linear_layers.h"

#include <optional>
#include <set>

#include "ops/op.h"
#include "ops/operands.h"

namespace nongemm::passes {
namespace {

/// A weight, or a view of one that swaps its two dimensions.
struct Matrix {
  ValueId weight = kNoId;
  bool swapped = false;
};

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph) {
    for (const Weight& weight : graph.weights) weights_.insert(weight.value);
  }

  std::optional<LinearLayer> layer_of(NodeId id) const {
    const Node& node = graph_.nodes[id];
    if (node.op == "aten.linear.default") return layer(id, 0, 1, 2, /*inner_last=*/true);
    if (node.op == "aten.addmm.default" && is_one(node.args[3]) && is_one(node.args[4])) {
      return layer(id, 1, 2, 0, /*inner_last=*/false);
    }
    if (node.op == "aten.mm.default" || node.op == "aten.matmul.default") {
      return layer(id, 0, 1, kNoBias, /*inner_last=*/false);
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kNoBias = SIZE_MAX;

  static bool is_one(const Argument& argument) {
    return argument == Argument(std::int64_t{1}) || argument == Argument(1.0);
  }

  static ValueId value_of(const Argument& argument) {
    const auto* use = std::get_if<Use>(&argument);
    return use != nullptr ? use->value : kNoId;
  }

  /// @param inner_last the operator wants the weight as [out, in]
  std::optional<LinearLayer> layer(NodeId id, std::size_t input, std::size_t weight, std::size_t bias,
                                   bool inner_last) const {
    const Node& node = graph_.nodes[id];
    const std::optional<Matrix> matrix = matrix_of(value_of(node.args[weight]));
    LinearLayer layer{id, value_of(node.args[input]), kNoId, false, kNoId};
    if (!matrix || layer.input == kNoId || weights_.contains(layer.input)) return std::nullopt;
    const Shape& shape = graph_.values[layer.input].type.shape;
    if (shape.empty() || shape.back() == kDynamic) return std::nullopt;
    layer.weight = matrix->weight;
    layer.transposed = matrix->swapped == inner_last;
    if (bias == kNoBias || std::holds_alternative<std::monostate>(node.args[bias])) return layer;
    layer.bias = value_of(node.args[bias]);
    if (layer.bias == kNoId || graph_.values[layer.bias].type.shape.size() != 1) return std::nullopt;
    return layer;
  }

  std::optional<Matrix> matrix_of(ValueId value) const {
    if (value == kNoId) return std::nullopt;
    const Type& type = graph_.values[value].type;
    if (type.shape.size() != 2 || !is_floating(type.dtype)) return std::nullopt;
    if (weights_.contains(value)) return Matrix{value, false};
    if (graph_.values[value].producer == kNoId) return std::nullopt;
    const Node& node = graph_.nodes[graph_.values[value].producer];
    if (!swaps_dimensions(node)) return std::nullopt;
    const ValueId source = value_of(node.args[0]);
    return weights_.contains(source) ? std::optional(Matrix{source, true}) : std::nullopt;
  }

  static bool swaps_dimensions(const Node& node) {
    if (node.op == "aten.t.default") return true;
    if (node.op == "aten.permute.default") {
      return node.args[1] == Argument(std::vector<Int>{1, 0}) || node.args[1] == Argument(std::vector<Int>{-1, 0});
    }
    if (node.op != "aten.transpose.int") return false;
    const auto* first = std::get_if<std::int64_t>(&node.args[1]);
    const auto* second = std::get_if<std::int64_t>(&node.args[2]);
    return first != nullptr && second != nullptr && (*first - *second) % 2 != 0;
  }

  const Graph& graph_;
  std::set<ValueId> weights_;
};

}  // namespace

std::vector<LinearLayer> find_linear_layers(const Graph& graph) {
  const Finder finder(graph);
  std::vector<LinearLayer> layers;
  for (const Block& block : graph.blocks) {
    for (const NodeId id : block.nodes) {
      if (const std::optional<LinearLayer> layer = finder.layer_of(id)) layers.push_back(*layer);
    }
  }
  return layers;
}

}  // namespace nongemm::passes
