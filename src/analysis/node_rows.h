// The graph's nodes as rows: classified, typed and costed, without times.
#pragma once

#include <vector>

#include "analysis/analysis.h"

namespace nongemm {

/// One row per node, by NodeId.
/// @param graph whose unknown types have been replaced by observed ones
std::vector<NodeRow> node_rows(const Graph& graph, const Tf32Use& rounded, const AnalysisOptions& options);

/// The graph with the types that a run saw in place of unknown ones.
Graph with_observed_types(const Entry& entry);

}  // namespace nongemm
