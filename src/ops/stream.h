// A graph as the stream of operators that PyTorch's profiler would list for it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace nongemm {

struct StreamEntry {
  std::string op;             // without overload: "aten::layer_norm"
  std::vector<Shape> shapes;  // one per schema argument; [] for lists, numbers and absent ones
  std::string scope;          // module path: "h.0.ln_1"
  std::string module;         // its class: "LayerNorm"
};

/// `to` that changes nothing: no work, but PyTorch's profiler lists it like one that copies.
enum class IdleCasts : std::uint8_t { kLeftOut, kListed };

/// The nodes in order, without those that do no work: dropout, alias, detach, lift_fresh, empty, idle casts unless
/// they are asked for, and what Python does itself on the host. Dimensions that only the run knows are kDynamic. Loops
/// and branches are walked as often as the graph expects.
std::vector<StreamEntry> operator_stream(const Graph& graph, IdleCasts idle_casts = IdleCasts::kLeftOut);

/// A node as it ran, and the types of its results where the graph did not know them.
struct ExecutedNode {
  NodeId node = kNoId;
  std::vector<Type> results;
};

/// The same for one run: all its calls in order, with the shapes it had.
std::vector<StreamEntry> operator_stream(const Graph& graph, std::span<const ExecutedNode> executed,
                                         IdleCasts idle_casts = IdleCasts::kLeftOut);

}  // namespace nongemm
