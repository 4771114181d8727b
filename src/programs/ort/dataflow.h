// An ONNX graph as far as the mapping needs it: which node computes which value from which, bodies of control nodes
// included.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/graph.h"
#include "onnx/onnx_model.h"

namespace nongemm::ort_flow {

struct DataflowNode {
  std::string name;
  std::string type;
  std::vector<std::string> inputs;  // values used by its bodies included; no empty names
  std::vector<std::string> outputs;
  std::vector<NodeId> graph_nodes = {};  // which it computes, or a part of which; not known of what a runtime wrote
};

struct Dataflow {
  /// In the order of the file: after what they use, a control node before the nodes of its bodies.
  std::vector<DataflowNode> nodes;
  std::unordered_set<std::string> constants;  // initializers, and what Constant nodes give
};

/// Of a model before the runtime has seen it.
Dataflow dataflow_of(const onnx::ModelDef& model);

/// Of a model that the runtime has written (ModelProto).
/// @param origin the file's name, for messages
/// @throws Error(kBadInput) when the bytes are no ONNX model
Dataflow read_dataflow(std::string_view model, const std::string& origin);

}  // namespace nongemm::ort_flow
