#include "programs/tensorrt/onnx_nodes.h"

#include "base/error.h"
#include "base/file.h"
#include "onnx/messages.h"

namespace nongemm::traces {

OnnxNodes parse_onnx_nodes(std::string_view bytes, const std::string& origin) {
  OnnxNodes nodes;
  try {
    const onnx::GraphMessage graph = onnx::read_graph_message(onnx::read_model_message(bytes).graph);
    for (const std::string_view node : graph.nodes) {
      onnx::NodeMessage message = onnx::read_node_message(node);
      nodes.nodes.push_back(
          {std::move(message.name), std::move(message.type), std::move(message.inputs), std::move(message.outputs)});
    }
    for (const std::string_view tensor : graph.initializers) nodes.initializers.push_back(onnx::tensor_name(tensor));
    for (const std::string_view input : graph.inputs) nodes.inputs.push_back(onnx::value_name(input));
  } catch (const Error& error) {
    throw Error(error.kind(), origin + ": " + error.what());
  }
  if (nodes.nodes.empty()) throw Error(ErrorKind::kBadInput, origin + ": no ONNX model, or one without nodes");
  return nodes;
}

OnnxNodes read_onnx_nodes(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return parse_onnx_nodes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

}  // namespace nongemm::traces
