// Linear layers in a graph, as whatever operator its writer chose.
#pragma once

#include <map>
#include <vector>

#include "graph/graph.h"

namespace nongemm::passes {

/// y [.., out] = x [.., in] times a weight, plus a bias.
struct LinearLayer {
  NodeId node = kNoId;
  ValueId input = kNoId;
  ValueId weight = kNoId;   // a weight of the graph
  bool transposed = false;  // the weight is [in, out], as GPT-2's Conv1D has it; else [out, in]
  ValueId bias = kNoId;     // [out], or none
};

/// linear; addmm, mm and matmul by a weight or by its transpose. Of floating-point weights only.
std::vector<LinearLayer> find_linear_layers(const Graph& graph);

}  // namespace nongemm::passes
