#include "programs/tensorrt/inferred_nodes.h"

#include <unordered_set>

#include "ops/onnx_operators.h"
#include "traces/tensorrt/names.h"

namespace nongemm::traces {

OnnxNodes infer_nodes(const TensorRtEngine& engine) {
  OnnxNodes result;
  std::unordered_set<std::string> known;
  for (const EngineLayer& layer : engine.layers) {
    if (layer.type == "Constant" || layer.name.starts_with("Reformatting CopyNode")) continue;
    const bool told = !layer.onnx_nodes.empty();
    // The first and the last node say nothing of those between: a block's nodes stay unknown as a whole.
    if (!told && is_foreign_node(layer.name)) continue;
    for (const std::string& name : told ? layer.onnx_nodes : parts_of_name(layer.name)) {
      const OnnxOperator* type = onnx_operator_in_name(name);
      // In a layer's own name stand weights and layers that TensorRT made up, too.
      if ((type == nullptr && !told) || !known.insert(name).second) continue;
      result.nodes.push_back({name, type == nullptr ? "" : std::string(type->name), {}, {}});
    }
  }
  return result;
}

}  // namespace nongemm::traces
