// States that a graph writes in place (graph/state.h), for runtimes in which nothing is: what a run leaves is an
// output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "onnx/onnx_model.h"

namespace nongemm::onnx {

/// The graph with an output `present.NAME` for every input `past.NAME` that it writes to. Values and nodes stay.
Graph with_written_states(Graph graph);

/// Whether `output` may lie in the memory of `input`: one node alone reads that, it scatters into it, and what it gives
/// is the output. Then only the new elements are written.
bool is_scattered_into(const GraphDef& graph, const std::string& input, const std::string& output);

}  // namespace nongemm::onnx
