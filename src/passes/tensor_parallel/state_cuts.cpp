#include "passes/tensor_parallel/state_cuts.h"

#include <optional>

#include "graph/state.h"

namespace nongemm::passes {
namespace {

/// The cut of an operand as one of a state beside it, aligned at the last dimension; nothing where that is not as wide:
/// a mask has no heads of its own.
std::optional<Placement> aligned(const Shape& state, const Shape& operand, Placement cut) {
  const std::size_t from_end = operand.size() - cut.dim;
  if (state.size() < from_end || state[state.size() - from_end] != operand[cut.dim]) return std::nullopt;
  cut.dim = state.size() - from_end;
  return cut;
}

}  // namespace

StateCuts::StateCuts(const Graph& graph, CutStates known) : graph_(graph), known_(std::move(known)) {
  for (const Input& input : graph.inputs) {
    if (input.name.starts_with(kPast)) origins_.emplace(input.value, input.value);
  }
}

std::vector<std::pair<ValueId, Placement>> StateCuts::meet(const Node& node,
                                                           const std::function<const Placement&(ValueId)>& placement) {
  const auto rank_of = [&](ValueId value) { return graph_.values[value].type.shape.size(); };
  std::vector<ValueId> of_states;
  std::optional<ValueId> cut;
  bool others = false;
  for (const Argument& argument : node.args) {
    for_each_use(argument, [&](ValueId value) {
      const bool whole = placement(value).is_whole();
      if (whole && origins_.contains(value)) {
        of_states.push_back(value);
      } else if (placement(value).is_cut() && !cut) {
        cut = value;
      } else if (graph_.values[value].type.kind == Type::Kind::kTensor) {
        others = true;
      }
    });
  }
  std::vector<std::pair<ValueId, Placement>> found;
  for (const ValueId value : of_states) {
    const ValueId state = origins_.at(value);
    std::optional<Placement> likewise;
    if (cut) {
      likewise = aligned(graph_.values[value].type.shape, graph_.values[*cut].type.shape, placement(*cut));
    }
    if (likewise) {
      late_ = late_ || used_.contains(state);
      known_.insert_or_assign(state, *likewise);
      found.emplace_back(value, *likewise);
      if (value != state) found.emplace_back(state, *likewise);
    } else if (!cut && !others && of_states.size() == 1 && node.outputs.size() == 1 &&
               rank_of(node.outputs[0]) == rank_of(value)) {
      origins_.emplace(node.outputs[0], state);
    }
    used_.insert(state);
  }
  return found;
}

}  // namespace nongemm::passes
