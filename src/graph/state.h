// Values that outlive a run: the cache of keys and values, the token that comes next. In a graph they are inputs and
// outputs of names that say so: `past.NAME` is what a run finds, `present.NAME` what it leaves for the next. A past
// without a present is written in place; a present without a past is made by this graph (the prompt's pass). ONNX's
// generation models have theirs in the same way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace nongemm {

inline constexpr std::string_view kPast = "past.";
inline constexpr std::string_view kPresent = "present.";

struct State {
  std::string name;
  std::uint32_t input = kNoId;   // of Graph::inputs
  std::uint32_t output = kNoId;  // of Graph::outputs
};

/// In the order of inputs, then of outputs that have none.
std::vector<State> states_of(const Graph& graph);

/// The state's type where the graph has it as an input, else as an output.
const Type& type_of(const Graph& graph, const State& state);

}  // namespace nongemm
