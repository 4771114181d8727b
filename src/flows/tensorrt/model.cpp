#include "flows/tensorrt/model.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "flows/tensorrt/api.h"
#include "flows/tensorrt/float_weights.h"
#include "lowering/simplify.h"
#include "onnx/messages.h"
#include "onnx/name_nodes.h"
#include "programs/tensorrt/lowered_nodes.h"

namespace nongemm::tensorrt {
namespace {

/// "n3/n4/conv1.Conv": slashes of the original could make it look like an id.
std::string name_with_ids(const std::vector<NodeId>& nodes, const onnx::NodeMessage& message, std::size_t position) {
  std::string name;
  for (const NodeId node : nodes) name += "n" + std::to_string(node) + "/";
  std::string original = message.name.empty() ? message.type + "_" + std::to_string(position) : message.name;
  std::replace(original.begin(), original.end(), '/', '.');
  return name + original;
}

}  // namespace

EngineModel lowered_model(const Graph& graph, const std::filesystem::path& folder, const onnx::GiveWeight& give) {
  constexpr int kOpset = 17;
  onnx::LoweredModel lowered = onnx::lower_to_onnx(graph, {.opset = kOpset, .decompose = kNoLayerNormalization});
  // The builder computes each constant on the device while it builds, and at low levels again at every inference. And
  // TensorRT 8.6 reads operands of a block that Myelin compiles wrongly when it begins with transposes that undo those
  // before it: it hands them over with interleaved channels (SegFormer's head, docs/results/tensorrt.md).
  onnx::simplify(lowered.model, graph, give);
  const onnx::GiveWeight given = quantize_weights_in_engine(lowered.model, give);
  const onnx::WrittenModel file = onnx::write_model(lowered.model, folder / "model.onnx", given);
  EngineModel model{{file.model}, traces::nodes_of(lowered.model), lowered.inputs, lowered.outputs};
  if (!file.data.empty()) model.files.push_back(file.data);
  return model;
}

EngineModel users_model(const Graph& graph, const std::filesystem::path& folder) {
  const SourceFile& source = *graph.source;
  const auto file = MappedFile::open(source.path);
  const std::string_view bytes(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  std::size_t count = 0;
  std::string named = onnx::with_node_names(bytes, [&](std::size_t position, const onnx::NodeMessage& message) {
    count = std::max(count, position + 1);
    static const std::vector<NodeId> kNone;
    return name_with_ids(position < source.nodes.size() ? source.nodes[position] : kNone, message, position);
  });
  if (count < source.nodes.size()) {
    throw Error(ErrorKind::kBadInput, source.path.string() + " has changed since it was read");
  }
  EngineModel model;
  model.files.push_back(folder / "model.onnx");
  write_file_atomically(model.files[0], named);
  const std::filesystem::path beside = std::filesystem::absolute(source.path).parent_path();
  for (const std::string& location : onnx::external_locations(bytes)) {
    model.files.push_back(folder / location);
    std::filesystem::create_directories(model.files.back().parent_path());
    std::filesystem::create_symlink(beside / location, model.files.back());
  }
  model.nodes = traces::parse_onnx_nodes(named, source.path.string());
  for (const Input& input : graph.inputs) model.inputs.push_back({input.name, input.value});
  for (const Output& output : graph.outputs) model.outputs.push_back({output.name, output.value});
  return model;
}

}  // namespace nongemm::tensorrt
