// Field numbers are those of onnx.proto.
#include "traces/onnx_nodes.h"

#include <algorithm>
#include <protozero/pbf_reader.hpp>
#include <utility>

#include "base/error.h"
#include "base/file.h"

namespace nongemm::traces {
namespace {

using Reader = protozero::pbf_reader;

constexpr std::uint32_t kModelGraph = 7;
constexpr std::uint32_t kGraphNode = 1;
constexpr std::uint32_t kGraphInitializer = 5;
constexpr std::uint32_t kGraphInput = 11;
constexpr std::uint32_t kNodeInput = 1;
constexpr std::uint32_t kNodeOutput = 2;
constexpr std::uint32_t kNodeName = 3;
constexpr std::uint32_t kNodeType = 4;
constexpr std::uint32_t kTensorName = 8;
constexpr std::uint32_t kValueName = 1;

OnnxNode read_node(Reader message) {
  OnnxNode node;
  while (message.next()) {
    switch (message.tag()) {
      case kNodeInput:
        node.inputs.push_back(message.get_string());
        break;
      case kNodeOutput:
        node.outputs.push_back(message.get_string());
        break;
      case kNodeName:
        node.name = message.get_string();
        break;
      case kNodeType:
        node.type = message.get_string();
        break;
      default:
        message.skip();
    }
  }
  return node;
}

std::string read_name(Reader message, std::uint32_t field) {
  std::string name;
  while (message.next(field)) name = message.get_string();
  return name;
}

OnnxNodes read_graph(Reader message) {
  OnnxNodes graph;
  while (message.next()) {
    switch (message.tag()) {
      case kGraphNode:
        graph.nodes.push_back(read_node(message.get_message()));
        break;
      case kGraphInitializer:
        graph.initializers.push_back(read_name(message.get_message(), kTensorName));
        break;
      case kGraphInput:
        graph.inputs.push_back(read_name(message.get_message(), kValueName));
        break;
      default:
        message.skip();
    }
  }
  return graph;
}

}  // namespace

OnnxNodes parse_onnx_nodes(std::string_view bytes, const std::string& origin) {
  try {
    Reader model(bytes.data(), bytes.size());
    while (model.next(kModelGraph)) {
      OnnxNodes graph = read_graph(model.get_message());
      if (!graph.nodes.empty()) return graph;
    }
  } catch (const protozero::exception& error) {
    throw Error(ErrorKind::kBadInput, origin + ": no valid ONNX model (" + error.what() + ")");
  }
  throw Error(ErrorKind::kBadInput, origin + ": no ONNX model, or one without nodes");
}

OnnxNodes read_onnx_nodes(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  return parse_onnx_nodes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string());
}

}  // namespace nongemm::traces
