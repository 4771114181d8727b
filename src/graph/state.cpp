#include "graph/state.h"

#include <algorithm>

namespace nongemm {

std::vector<State> states_of(const Graph& graph) {
  std::vector<State> states;
  for (std::uint32_t i = 0; i < graph.inputs.size(); ++i) {
    const std::string& name = graph.inputs[i].name;
    if (name.starts_with(kPast)) states.push_back({.name = name.substr(kPast.size()), .input = i});
  }
  for (std::uint32_t i = 0; i < graph.outputs.size(); ++i) {
    if (!graph.outputs[i].name.starts_with(kPresent)) continue;
    const std::string name = graph.outputs[i].name.substr(kPresent.size());
    const auto known =
        std::find_if(states.begin(), states.end(), [&](const State& state) { return state.name == name; });
    if (known != states.end()) {
      known->output = i;
    } else {
      states.push_back({.name = name, .output = i});
    }
  }
  return states;
}

const Type& type_of(const Graph& graph, const State& state) {
  const ValueId value = state.input != kNoId ? graph.inputs[state.input].value : graph.outputs[state.output].value;
  return graph.values[value].type;
}

}  // namespace nongemm
