// Qwen3 with the language-model head: transformers Qwen3ForCausalLM.
#include <array>

#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "Qwen3",
                   .model_class = "Qwen3Model",
                   .vocabulary = 151936,
                   .positions = 32768,
                   .inner = 22016,
                   .key_heads = 32,
                   .head_width = 128,
                   .head_norm = HeadNorm::kBeforeTranspose,
                   .always_full_mask = true};
  model.read(config);
  model.qkv_bias = model.output_bias = config.flag("attention_bias", false);
  // The first max_window_layers have no window.
  const std::int64_t first = config.integer("max_window_layers", 28);
  model.window = config.flag("use_sliding_window", false) ? size_or_none(config, "sliding_window", 4096) : 0;
  model.read_layer_types(config, [&](std::int64_t layer) { return model.window > 0 && layer >= first; });
  model.rope = Rope::read(config, model.head_width, model.positions);
  model.rope.casts_factors = true;
  return build_decoder(model, config, options);
}

constexpr std::array kModels = {
    ModelRow{.name = "qwen3-0.6b",
             .title = "Qwen3 0.6B",
             .config =
                 R"({"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16,
                           "num_key_value_heads": 8, "max_position_embeddings": 40960, "rope_theta": 1000000.0,
                           "tie_word_embeddings": true})",
             .parameters = 596049920,
             .sequence = 1024},
    ModelRow{.name = "qwen3-1.7b",
             .title = "Qwen3 1.7B",
             .config =
                 R"({"hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16,
                           "num_key_value_heads": 8, "max_position_embeddings": 40960, "rope_theta": 1000000.0,
                           "tie_word_embeddings": true})",
             .parameters = 1720574976,
             .sequence = 1024},
    ModelRow{.name = "qwen3-4b",
             .title = "Qwen3 4B",
             .config =
                 R"({"hidden_size": 2560, "intermediate_size": 9728, "num_hidden_layers": 36, "num_attention_heads": 32,
                           "num_key_value_heads": 8, "max_position_embeddings": 40960, "rope_theta": 1000000.0,
                           "tie_word_embeddings": true})",
             .parameters = 4022468096,
             .sequence = 1024},
    ModelRow{
        .name = "qwen3-8b",
        .title = "Qwen3 8B",
        .config =
            R"({"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32,
                           "num_key_value_heads": 8, "max_position_embeddings": 40960, "rope_theta": 1000000.0,
                           "tie_word_embeddings": false})",
        .parameters = 8190735360,
        .sequence = 1024},
    ModelRow{
        .name = "qwen3-32b",
        .title = "Qwen3 32B",
        .config =
            R"({"hidden_size": 5120, "intermediate_size": 25600, "num_hidden_layers": 64, "num_attention_heads": 64,
                           "num_key_value_heads": 8, "max_position_embeddings": 40960, "rope_theta": 1000000.0,
                           "tie_word_embeddings": false})",
        .parameters = 32762123264,
        .sequence = 1024},
};

}  // namespace

const Architecture& qwen3_architecture() {
  static const Architecture kArchitecture = {.model_type = "qwen3",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "Qwen3ForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
