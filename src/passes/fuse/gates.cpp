#include <string>

#include "passes/fuse/fuse.h"

namespace nongemm::passes {
namespace {

/// The operator's name for the activation that the node is, or "".
std::string activation_of(const Node& node) {
  if (node.op == "aten.silu.default") return "silu";
  if (node.op != "aten.gelu.default") return "";
  return node.args.at(1) == Argument(std::string("tanh")) ? "gelu_tanh" : "gelu";
}

}  // namespace

std::vector<Place> find_gates(const Search& search) {
  std::vector<Place> places;
  for (const Node& node : search.graph().nodes) {
    const std::string activation = activation_of(node);
    if (activation.empty()) continue;
    const ValueId gate = Search::operand(node, 0);
    const Node* product = search.only_user(node.outputs[0]);
    if (product == nullptr || product->op != "aten.mul.Tensor") continue;
    const ValueId other = Search::other_operand(*product, node.outputs[0]);
    // Of another order in memory the product would have this one's, or the other's.
    if (other == kNoId || !search.alike(gate, other) || !search.keeps_layout(gate, product->outputs[0])) continue;
    Place place;
    place.gone = {search.id_of(node)};
    place.replaced[search.id_of(*product)] = [gate, other, activation](Builder& b) {
      return b.call("nongemm.gated_activation.default", {Tensor(&b, gate), Tensor(&b, other), activation});
    };
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace nongemm::passes
