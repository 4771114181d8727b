// Mixtral with the language-model head: transformers MixtralForCausalLM.
#include <array>

#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "Mixtral",
                   .model_class = "MixtralModel",
                   .positions = 131072,
                   .inner = 14336,
                   .key_heads = 8,
                   .experts = Experts{.block_class = "MixtralSparseMoeBlock",
                                      .router_class = "MixtralTopKRouter",
                                      .experts_class = "MixtralExperts"},
                   .epsilon = 1e-5,
                   .renames = {{".block_sparse_moe.", ".mlp."}},
                   .pieces = {{".experts.gate_up_proj", {".experts.#.w1.weight", ".experts.#.w3.weight"}},
                              {".experts.down_proj", {".experts.#.w2.weight"}}}};
  model.read(config);
  model.read_one_window(config, 0);
  model.rope = Rope::read(config, model.head_width, model.positions, {.theta = 1000000.0});
  return build_decoder(model, config, options);
}

constexpr std::array kModels = {
    ModelRow{.name = "mixtral-8x7b",
             .title = "Mixtral 8x7B",
             .config = R"({"max_position_embeddings": 32768})",
             .parameters = 46702792704,
             .sequence = 1024},
    ModelRow{.name = "mixtral-8x22b",
             .title = "Mixtral 8x22B",
             .config = R"({"hidden_size": 6144, "intermediate_size": 16384, "num_hidden_layers": 56,
                           "num_attention_heads": 48, "max_position_embeddings": 65536})",
             .parameters = 140620634112,
             .sequence = 1024},
};

}  // namespace

const Architecture& mixtral_architecture() {
  static const Architecture kArchitecture = {.model_type = "mixtral",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "MixtralForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
