// A graph as a program of torch.export: what torch.export.load reads, and our own reader (import/pt2) as well.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "pt2/program.h"

namespace nongemm::pt2 {

/// What keeps the graph from being such a program, a line each: operators that torch has not, with their nodes' number,
/// control flow, lists of unknown length, element types. Empty for most models.
std::vector<std::string> obstacles(const Graph& graph);

/// Nodes that a program does not hold: numbers that the host reads and nothing uses. Python's `if mask.all()` leaves
/// such a read in what eager dispatches; torch.export decides the branch and leaves it out.
std::vector<bool> left_out(const Graph& graph);

/// Every size that only the run knows becomes a symbol of its own. For the host; element types are the graph's.
/// @throws Error (kUnsupported) naming the obstacles
Program lower_to_pt2(const Graph& graph);

}  // namespace nongemm::pt2
