// Which graphs can be captured for replay, and what is left out of them. Plain C++.
#pragma once

#include "graph/graph.h"

namespace nongemm::torch_flow {

/// The graph without the operators that only make the host wait for a value nobody uses (checks whose outcome the
/// model's builder knew: `if mask.all()`). Node ids stay. Throws Error(kUnsupported), naming the node and its module,
/// when the host decides something during the run: loops, branches, values that later operators take, shapes that the
/// data decides, grouped products in other types than bf16.
Graph without_host_checks(const Graph& graph);

}  // namespace nongemm::torch_flow
