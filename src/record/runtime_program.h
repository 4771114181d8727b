// What a runtime really executes when it does not walk the graph node by node: ONNX Runtime's optimised graph, a
// TensorRT engine. Fusion, folding and copies are told from this, the same way for every runtime (analysis/fusion.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace nongemm {

/// Why a step is there. Everything but kCompute covers no graph node, and all but kSizes were added by the runtime.
enum class RuntimeRole : std::uint8_t {
  kCompute,
  kCopyToDevice,
  kCopyToHost,
  kCast,
  kReformat,  // another memory layout of the same values
  kSizes,     // works out sizes that the graph has as numbers, or whatever else of the model's file it has no node for
  kOther,
};

/// One step of the runtime's program: an ONNX Runtime node, a TensorRT layer.
struct RuntimeNode {
  std::string name;      // as the runtime prints it
  std::string type;      // "SkipLayerNormalization", "Myelin"
  std::string provider;  // where it runs, where the runtime has several places: "CUDA"
  RuntimeRole role = RuntimeRole::kCompute;
  /// The graph nodes it implements, ascending. Several steps may share a node that was split.
  std::vector<NodeId> covers;
  /// Types of the ONNX nodes that it computes, of the model that the runtime was given ("MatMul", "Softmax"), each
  /// once. They tell the parts of a graph node that was lowered to several. Empty when not known.
  std::vector<std::string> operators = {};
  /// Of its results; 0 when not known. What a copy moves.
  std::uint64_t bytes = 0;
  /// The runtime does not say what happens inside; `covers` follows from the dataflow around it.
  bool opaque = false;
};

/// Steps in the runtime's order of execution. A session that has one counts in steps: NodeSpan::node and
/// DeviceRecord::node are then indices into `nodes` instead of graph nodes.
struct RuntimeProgram {
  std::vector<RuntimeNode> nodes;
  /// Graph nodes computed when the model was loaded (constant folding), or gone because they do nothing at run time.
  std::vector<NodeId> folded;
};

}  // namespace nongemm
