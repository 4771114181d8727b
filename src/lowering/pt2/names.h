// Names in an exported program: every node carries the id of the graph's.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace nongemm::pt2 {

/// "n12_layer_norm": what fx calls node 12.
std::string node_name(const Graph& graph, NodeId node);
/// The node in such a name, or in one of its results ("n12_split_1"); nothing for other names.
std::optional<NodeId> node_in_name(std::string_view name);

/// By value. Inputs have their own names where Python allows these, parameters "p_", buffers "b_" and constants "c_" in
/// front, as torch.export has them.
std::vector<std::string> value_names(const Graph& graph);

/// A Python identifier like `name` that is not in `taken`, which it is added to.
std::string identifier(std::string_view name, std::set<std::string>& taken);

}  // namespace nongemm::pt2
