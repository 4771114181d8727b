// What the program does with a graph before it runs anything, for fuzzers of the readers that build graphs: the rules
// of the operator table must hold on whatever a reader lets through.
#pragma once

#include "analysis/analysis.h"
#include "graph/graph_json.h"
#include "lowering/lower.h"
#include "onnx/wire.h"

namespace nongemm {

/// Throws Error where the program would refuse the graph.
inline void use(const Graph& graph) {
  to_json(graph);
  analyse(record_of(graph), {});
  onnx::serialize(onnx::lower_to_onnx(graph, {}).model);
}

}  // namespace nongemm
