// Qwen3 with a mixture of experts and the language-model head: transformers Qwen3MoeForCausalLM.
#include <algorithm>
#include <array>
#include <vector>

#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

/// All layers but `mlp_only_layers`, or every `decoder_sparse_step`th, have experts.
void read_sparse_layers(const Config& config, Decoder& model) {
  const std::int64_t step = config.positive("decoder_sparse_step", 1);
  const std::vector<std::int64_t> dense = config.integers("mlp_only_layers", {});
  for (std::int64_t i = 0; i < model.layers; ++i) {
    const bool listed = std::find(dense.begin(), dense.end(), i) != dense.end();
    model.sparse[static_cast<std::size_t>(i)] = !listed && (i + 1) % step == 0;
  }
}

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "Qwen3Moe",
                   .model_class = "Qwen3MoeModel",
                   .vocabulary = 151936,
                   .positions = 32768,
                   .width = 2048,
                   .layers = 24,
                   .inner = 6144,
                   .key_heads = 4,
                   .head_norm = HeadNorm::kBeforeTranspose,
                   .experts = Experts{.block_class = "Qwen3MoeSparseMoeBlock",
                                      .router_class = "Qwen3MoeTopKRouter",
                                      .experts_class = "Qwen3MoeExperts",
                                      .router = Router::kQwen,
                                      .count = 128,
                                      .chosen = 8},
                   .pieces = {{".experts.gate_up_proj", {".experts.#.gate_proj.weight", ".experts.#.up_proj.weight"}},
                              {".experts.down_proj", {".experts.#.down_proj.weight"}}}};
  model.read(config);
  model.experts->inner = config.positive("moe_intermediate_size", 768);
  model.experts->normalised = config.flag("norm_topk_prob", false);
  read_sparse_layers(config, model);
  model.qkv_bias = model.output_bias = config.flag("attention_bias", false);
  if (config.flag("use_sliding_window", false)) model.read_one_window(config, 4096);
  model.rope = Rope::read(config, model.head_width, model.positions);
  return build_decoder(model, config, options);
}

constexpr std::array kModels = {
    ModelRow{.name = "qwen3-30b-a3b",
             .title = "Qwen3 30B-A3B",
             .config = R"({"num_hidden_layers": 48, "head_dim": 128, "max_position_embeddings": 40960,
                           "norm_topk_prob": true, "rope_theta": 1000000.0})",
             .parameters = 30532122624,
             .sequence = 1024},
    ModelRow{.name = "qwen3-235b-a22b",
             .title = "Qwen3 235B-A22B",
             .config = R"({"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 94,
                           "num_attention_heads": 64, "head_dim": 128, "moe_intermediate_size": 1536,
                           "max_position_embeddings": 40960, "norm_topk_prob": true, "rope_theta": 1000000.0})",
             .parameters = 235093634560,
             .sequence = 1024},
};

}  // namespace

const Architecture& qwen3_moe_architecture() {
  static const Architecture kArchitecture = {.model_type = "qwen3_moe",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "Qwen3MoeForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
