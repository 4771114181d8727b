// Nodes of a graph taken out, and others put in their place.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "graph/graph.h"
#include "ops/builder.h"

namespace nongemm::passes {

/// By value: how often operands, results of blocks and outputs name it.
std::vector<std::size_t> count_uses(const Graph& graph);

/// Builds what stands in a node's place, in the same block and module. Gives the result that takes the place of the
/// node's: of a node that it added, and used by none.
using Replacement = std::function<Tensor(Builder& builder)>;

/// The graph with those nodes replaced. Views, weights and constants that nobody uses afterwards are left out, and the
/// graph is no longer that of a file. Operands of a replaced node may be used by what replaces it.
/// @param gone further nodes to leave out: nobody but these and the replaced ones may use what they make
Graph replace_nodes(Graph graph, DType dtype, const std::map<NodeId, Replacement>& replacements,
                    const std::set<NodeId>& gone = {});

}  // namespace nongemm::passes
