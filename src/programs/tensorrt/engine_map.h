// Which ONNX nodes each layer of a TensorRT engine implements.
#pragma once

#include <cstddef>
#include <vector>

#include "programs/tensorrt/onnx_nodes.h"
#include "record/runtime_program.h"
#include "traces/tensorrt/layers.h"

namespace nongemm::traces {

struct LayerCover {
  RuntimeRole role = RuntimeRole::kCompute;
  /// Positions in OnnxNodes::nodes, ascending.
  std::vector<std::size_t> nodes;
  /// Their types, each once.
  std::vector<std::string> operators = {};
  /// A block compiled by Myelin of which the engine tells no more.
  bool opaque = false;
};

struct EngineMap {
  std::vector<LayerCover> layers;  // by position in the engine
  /// Nodes that no layer implements: computed when the engine was built, or nothing to do at run time.
  std::vector<std::size_t> folded;
};

/// A layer implements the nodes that its metadata or its name mention, and those between its input and output tensors
/// that no other layer mentions. A layer that only changes a tensor's format implements none.
EngineMap map_engine(const TensorRtEngine& engine, const OnnxNodes& model);

/// The runtime's program in terms of graph nodes. Constants are left out: they do nothing at run time.
/// @param graph_nodes by ONNX node: the graph nodes it belongs to
/// @param node_count of the graph; its nodes that no layer covers count as folded
RuntimeProgram program_of(const TensorRtEngine& engine, const EngineMap& map,
                          const std::vector<std::vector<NodeId>>& graph_nodes, std::size_t node_count);

}  // namespace nongemm::traces
