#include "programs/tensorrt/lowered_nodes.h"

namespace nongemm::traces {

OnnxNodes nodes_of(const onnx::ModelDef& model) {
  OnnxNodes nodes;
  for (const onnx::NodeDef& node : model.graph.nodes) {
    nodes.nodes.push_back({node.name, node.type, node.inputs, node.outputs});
  }
  for (const onnx::Initializer& initializer : model.graph.initializers) nodes.initializers.push_back(initializer.name);
  for (const onnx::ValueDef& input : model.graph.inputs) nodes.inputs.push_back(input.name);
  return nodes;
}

}  // namespace nongemm::traces
