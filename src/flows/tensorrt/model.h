// What an engine is built from: a lowered graph, or the user's own file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "lowering/lower.h"
#include "onnx/file.h"
#include "programs/tensorrt/onnx_nodes.h"

namespace nongemm::tensorrt {

struct EngineModel {
  /// The model's file, and those beside it that hold weights.
  std::vector<std::filesystem::path> files;
  traces::OnnxNodes nodes;  // names say which graph nodes they belong to (onnx/names.h)
  std::vector<onnx::Port> inputs;
  std::vector<onnx::Port> outputs;
};

/// Lowers the graph and writes the model into `folder`. @throws Error as lower_to_onnx and write_model do
EngineModel lowered_model(const Graph& graph, const std::filesystem::path& folder, const onnx::GiveWeight& give);

/// The file that the graph was read from: TensorRT's parser is given it as it is but for the names of its nodes, which
/// carry the ids of graph nodes, because TensorRT makes up names of its own from them. Weights beside it are linked to.
/// @throws Error (kBadInput) when the file is no longer what the graph was read from
EngineModel users_model(const Graph& graph, const std::filesystem::path& folder);

}  // namespace nongemm::tensorrt
