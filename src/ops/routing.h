// Which modules of transformers route tokens to the experts of a mixture of experts, by the endings of their classes.
#pragma once

#include <string_view>

namespace nongemm {

/// MixtralTopKRouter, DeepseekV3TopkRouter, ...: the choice of experts.
inline bool is_router(std::string_view module) {
  return module.ends_with("TopKRouter") || module.ends_with("TopkRouter");
}

/// MixtralExperts, DeepseekV3MoE, Qwen3MoeSparseMoeBlock, ...: routing around the experts' products.
inline bool holds_experts(std::string_view module) {
  return module.ends_with("Experts") || module.ends_with("MoE") || module.ends_with("Moe") ||
         module.ends_with("MoeBlock");
}

}  // namespace nongemm
