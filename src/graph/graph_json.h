// Graphs as JSON: `nongemm inspect --graph`, tests, and a user's own tools. docs/graph-format.md describes the form.
#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace nongemm {

/// @param indent -1 for one line
std::string to_json(const Graph& graph, int indent = 1);

/// Throws Error(kBadInput) naming the place for text that is not such a graph. Everything that indexes is checked, so
/// that the result is safe to walk; whether operators and arguments make sense is ops/check_graph.h's business.
Graph graph_from_json(std::string_view text, const std::string& origin);

}  // namespace nongemm
