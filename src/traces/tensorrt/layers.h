// What an engine consists of: `trtexec --exportLayerInfo`, or IEngineInspector's JSON, of TensorRT 8, 10 and 11.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::traces {

struct EngineLayer {
  std::string name;  // without the profile's suffix
  /// Optimization profile that the layer belongs to.
  int profile = 0;
  /// "CaskConvolution", "Myelin", "kgen"; empty in engines built without detailed profiling verbosity, which tell names
  /// alone.
  std::string type;
  std::string tactic;  // the kernel's name, where it is told
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  /// ONNX nodes that the layer says it came from. Engines of TensorRT before 8.6 do not say.
  std::vector<std::string> onnx_nodes;
};

struct TensorRtEngine {
  std::vector<EngineLayer> layers;  // in the order of execution
  /// Inputs and outputs of the engine.
  std::vector<std::string> bindings;
  /// The layers tell more than their names.
  bool detailed = false;
};

/// @param origin the file's name, for messages
/// @throws Error (kBadInput)
TensorRtEngine parse_tensorrt_layers(std::string_view text, const std::string& origin);
TensorRtEngine read_tensorrt_layers(const std::filesystem::path& path);

/// The engine as one optimization profile runs it.
/// @throws Error (kBadInput) when it has no layer of that profile
TensorRtEngine engine_of_profile(const TensorRtEngine& engine, int profile);

}  // namespace nongemm::traces
