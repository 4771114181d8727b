// Whether a graph is one that can be run: the checks between a builder or a file and a flow.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace nongemm {

/// What is wrong, one line each, naming node, operator and module; empty for a sound graph. Checked: every use has a
/// definition before it, no value is defined twice, every operator is in the table, arguments fit its schema, and the
/// types of results are those that the operator's rule gives.
std::vector<std::string> problems_of(const Graph& graph);

/// Throws Error(kBadInput) with the first problems when there are any.
void verify(const Graph& graph);

}  // namespace nongemm
