// A graph as the stream of operators that PyTorch's profiler would list for it.
#pragma once

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

/// The nodes of the body in order, without those that do no work: dropout, alias, detach, lift_fresh, empty, and `to`
/// that changes nothing. Dimensions that only the run knows are kDynamic.
std::vector<StreamEntry> operator_stream(const Graph& graph);

}  // namespace nongemm
