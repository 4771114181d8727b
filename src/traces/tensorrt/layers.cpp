#include "traces/tensorrt/layers.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "traces/tensorrt/names.h"

namespace nongemm::traces {
namespace {

[[noreturn]] void refuse(const std::string& origin, const std::string& problem) {
  throw Error(ErrorKind::kBadInput, origin + ": " + problem,
              "give the file that trtexec --exportLayerInfo=FILE --profilingVerbosity=detailed wrote");
}

std::vector<std::string> tensors_at(const Json& layer, const char* key) {
  std::vector<std::string> names;
  const auto found = layer.find(key);
  if (found == layer.end() || !found->is_array()) return names;
  for (const Json& tensor : *found) {
    if (tensor.is_object()) names.push_back(split_profile(text_or_empty(tensor, "Name")).name);
  }
  return names;
}

EngineLayer layer_of(const Json& json, std::size_t position, const std::string& origin) {
  EngineLayer layer;
  std::string name;
  if (json.is_string()) {
    name = json.get<std::string>();
  } else if (json.is_object()) {
    name = text_or_empty(json, "Name");
    layer.type = text_or_empty(json, "LayerType");
    layer.tactic = text_or_empty(json, "TacticName");
    layer.inputs = tensors_at(json, "Inputs");
    layer.outputs = tensors_at(json, "Outputs");
    layer.onnx_nodes = onnx_layers_in(text_or_empty(json, "Metadata"));
  }
  if (name.empty()) refuse(origin, "layer " + std::to_string(position) + " has no name");
  ProfiledName split = split_profile(name);
  layer.name = std::move(split.name);
  layer.profile = split.profile;
  return layer;
}

}  // namespace

TensorRtEngine parse_tensorrt_layers(std::string_view text, const std::string& origin) {
  const Json root = parse_json(text, origin);
  if (!root.is_object()) refuse(origin, "no JSON object, but layer information is one");
  const auto layers = root.find("Layers");
  if (layers == root.end() || !layers->is_array()) refuse(origin, "the list 'Layers' is missing");
  TensorRtEngine engine;
  engine.layers.reserve(layers->size());
  for (const Json& json : *layers) {
    engine.layers.push_back(layer_of(json, engine.layers.size(), origin));
    engine.detailed = engine.detailed || !engine.layers.back().type.empty();
  }
  if (engine.layers.empty()) refuse(origin, "the list 'Layers' is empty");
  if (const auto bindings = root.find("Bindings"); bindings != root.end() && bindings->is_array()) {
    for (const Json& binding : *bindings) {
      if (binding.is_string()) engine.bindings.push_back(split_profile(binding.get<std::string>()).name);
    }
  }
  return engine;
}

TensorRtEngine read_tensorrt_layers(const std::filesystem::path& path) {
  return parse_tensorrt_layers(read_file(path, kMostExportBytes), path.string());
}

TensorRtEngine engine_of_profile(const TensorRtEngine& engine, int profile) {
  TensorRtEngine chosen{{}, engine.bindings, engine.detailed};
  for (const EngineLayer& layer : engine.layers) {
    if (layer.profile == profile) chosen.layers.push_back(layer);
  }
  if (chosen.layers.empty()) {
    throw Error(ErrorKind::kBadInput, "the engine has no layers of optimization profile " + std::to_string(profile));
  }
  return chosen;
}

}  // namespace nongemm::traces
