// An ONNX model as far as a runtime's steps are traced back to it: which nodes there are and what flows between them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::traces {

struct OnnxNode {
  std::string name;
  std::string type;  // "MatMul"
  /// Empty for an optional input that is left out.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

struct OnnxNodes {
  /// In the model's order, which is one of dataflow. Nodes inside loops and branches are left out.
  std::vector<OnnxNode> nodes;
  /// Tensors that are there before the run.
  std::vector<std::string> initializers;
  std::vector<std::string> inputs;
};

/// @param bytes of a model file; weights may lie elsewhere
/// @throws Error (kBadInput) naming `origin` when they are damaged or no ONNX model
OnnxNodes parse_onnx_nodes(std::string_view bytes, const std::string& origin);
OnnxNodes read_onnx_nodes(const std::filesystem::path& path);

}  // namespace nongemm::traces
