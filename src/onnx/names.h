// Names in lowered models. They say which graph node something belongs to, in a form that survives in the names that
// runtimes make up for fused steps, so that time in a runtime's step can be told to the nodes it covers.
//
//   node    n123/h.0.ln_1/aten.layer_norm   what computes graph node 123; further ones end in ".2", ".3", ...
//   value   n123/v45                        value 45 of the graph, a result of node 123
//           n123/t7                         between the ONNX nodes of node 123
//           c46                             a constant of the graph
//
// Inputs, outputs and weights keep the names they have in the original ("input_ids", "logits", "h.0.ln_1.weight");
// whose result an output is, LoweredModel::outputs says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace nongemm::onnx {

/// "n123/h.0.ln_1/aten.layer_norm": the overload is left out, and characters that no runtime would keep are replaced.
/// @param ordinal 1 for the first ONNX node of the graph node, 2 for the second, ...
std::string node_name(const Graph& graph, NodeId node, int ordinal = 1);

/// "n123/v45" for a node's result, "c46" for a constant. Values of other kinds have names of their own.
std::string value_name(const Graph& graph, ValueId value);

/// "n123/t7"
std::string temporary_name(NodeId node, int number);

/// The value that a name of an intermediate result stands for ("n123/v45", or "n123/v45_2" for a later version of it);
/// kNoId for other names.
ValueId value_named(std::string_view name);

/// The graph nodes whose names, or whose values' names, occur in `text`: ascending, each once. Takes any text a runtime
/// prints: "n12/h.0/aten.add + n13//aten.mul", "{ForeignNode[n3//aten.pow...n9//aten.add]}" gives 12, 13 and 3, 9.
std::vector<NodeId> graph_nodes_in(std::string_view text);

}  // namespace nongemm::onnx
