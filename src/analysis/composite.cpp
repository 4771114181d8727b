#include "analysis/composite.h"

#include <array>

#include "ops/routing.h"

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
      // Steps of LLM.int8 that passes/llm_int8.cpp marks, so that they do not hide among arithmetic and copies.
      CompositeModule{"Int8OutlierSearch", Group::kQuantization, "OutlierSearch"},
      CompositeModule{"Int8OutlierGather", Group::kQuantization, "OutlierGather"},
  };
  return kModules;
}

bool is_routing(const Graph& graph, ScopeId scope, Group group, std::string_view variant, DType result) {
  const std::string& module = graph.scopes[scope].type;
  if (is_router(module)) return true;
  if (!holds_experts(module)) return false;
  switch (group) {
    case Group::kReduction:
    case Group::kMemoryMovement:
    case Group::kSynchronisation:
      return true;
    case Group::kArithmetic:
      return variant == "MaskedFill" || !is_floating(result);
    default:
      return false;
  }
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
