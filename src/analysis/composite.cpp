#include "analysis/composite.h"

#include <array>

namespace nongemm {

std::span<const CompositeModule> composite_modules() {
  static constexpr std::array kModules = {
      CompositeModule{"LlamaRMSNorm", Group::kNormalization, "RMSNorm"},
      CompositeModule{"T5LayerNorm", Group::kNormalization, "RMSNorm"},
      CompositeModule{"DetrFrozenBatchNorm2d", Group::kNormalization, "FrozenBatchNorm2d"},
      CompositeModule{"FrozenBatchNorm2d", Group::kNormalization, "FrozenBatchNorm2d"},
      CompositeModule{"NewGELUActivation", Group::kActivation, "NewGELU"},
      CompositeModule{"QuickGELUActivation", Group::kActivation, "QuickGELU"},
      CompositeModule{"FastGELUActivation", Group::kActivation, "FastGELU"},
      CompositeModule{"AccurateGELUActivation", Group::kActivation, "AccurateGELU"},
      CompositeModule{"ClippedGELUActivation", Group::kActivation, "ClippedGELU"},
      CompositeModule{"GELUActivation", Group::kActivation, "GELU"},
      CompositeModule{"GELUTanh", Group::kActivation, "GELU"},
      CompositeModule{"ReLUSquaredActivation", Group::kActivation, "ReLUSquared"},
      CompositeModule{"SqrtSoftplusActivation", Group::kActivation, "SqrtSoftplus"},
      CompositeModule{"LaplaceActivation", Group::kActivation, "Laplace"},
  };
  return kModules;
}

const CompositeModule* composite_of(const Graph& graph, ScopeId scope) {
  for (; scope != kRootScope; scope = graph.scopes[scope].parent) {
    const std::string& type = graph.scopes[scope].type;
    for (const CompositeModule& module : composite_modules()) {
      if (module.type == type) return &module;
    }
    // MistralRMSNorm, Qwen2RMSNorm, ...: transformers names one for each family.
    if (type.ends_with("RMSNorm")) return &composite_modules()[0];
  }
  return nullptr;
}

}  // namespace nongemm
