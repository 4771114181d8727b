// Who gets the tokens in a mixture of experts whose weights nobody trained.
#pragma once

#include "graph/graph.h"
#include "spec/model_options.h"

namespace nongemm {

/// Replaces what the routers choose by a fixed choice and says so in the graph's attribute `routing`; the operators
/// stay what they are. Nothing for Routing::kModel but the attribute, where there is a mixture of experts at all.
/// @throws Error (kUsage) when a fixed choice is asked for and no router is there
void set_routing(Graph& graph, Routing routing);

}  // namespace nongemm
