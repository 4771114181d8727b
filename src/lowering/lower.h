// From an operator graph to an ONNX model, by the rules of the operator table.
#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "onnx/onnx_model.h"
#include "ops/onnx_lowering.h"

namespace nongemm::onnx {

/// An input or output of the model, under the original's name.
struct Port {
  std::string name;
  ValueId value = kNoId;
};

struct LoweredModel {
  ModelDef model;
  std::vector<Port> inputs;   // in the order of Graph::inputs
  std::vector<Port> outputs;  // in the order of Graph::outputs
};

/// Nodes whose results nothing needs are left out, as every exporter does: a graph node whose id stands in no name of
/// the model has nothing to do in it, or is a view that ONNX has no need for.
/// @throws Error (kUnsupported) naming the operator that ONNX, or the opset, cannot express; (kUsage) for an opset that
///         is not offered
LoweredModel lower_to_onnx(const Graph& graph, const OnnxOptions& options = {});

/// Operators of the graph that have no lowering, each once: what makes it an unsupported one before anything is tried.
std::vector<std::string> operators_without_lowering(const Graph& graph);

}  // namespace nongemm::onnx
