// Qwen2 and Qwen2.5 with the language-model head: transformers Qwen2ForCausalLM.
#include <array>

#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "Qwen2",
                   .model_class = "Qwen2Model",
                   .vocabulary = 151936,
                   .positions = 32768,
                   .inner = 22016,
                   .key_heads = 32,
                   .qkv_bias = true,
                   .always_full_mask = true};
  model.read(config);
  // The first max_window_layers have no window.
  const std::int64_t first = config.integer("max_window_layers", 28);
  model.window = config.flag("use_sliding_window", false) ? size_or_none(config, "sliding_window", 4096) : 0;
  model.read_layer_types(config, [&](std::int64_t layer) { return model.window > 0 && layer >= first; });
  model.rope = Rope::read(config, model.head_width, model.positions);
  model.rope.casts_factors = true;
  return build_decoder(model, config, options);
}

constexpr std::array kModels = {
    ModelRow{
        .name = "qwen2-0.5b",
        .title = "Qwen2 0.5B (and Qwen2.5)",
        .config = R"({"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
                           "num_key_value_heads": 2, "rope_theta": 1000000.0, "tie_word_embeddings": true})",
        .parameters = 494032768,
        .sequence = 1024},
    ModelRow{.name = "qwen2-1.5b",
             .title = "Qwen2 1.5B (and Qwen2.5)",
             .config = R"({"hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
                           "num_attention_heads": 12, "num_key_value_heads": 2, "rope_theta": 1000000.0,
                           "tie_word_embeddings": true})",
             .parameters = 1543714304,
             .sequence = 1024},
    ModelRow{.name = "qwen2-7b",
             .title = "Qwen2 7B (and Qwen2.5)",
             .config = R"({"vocab_size": 152064, "hidden_size": 3584, "intermediate_size": 18944,
                           "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4,
                           "rope_theta": 1000000.0})",
             .parameters = 7615616512,
             .sequence = 1024},
    ModelRow{.name = "qwen2.5-3b",
             .title = "Qwen2.5 3B",
             .config = R"({"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36,
                           "num_attention_heads": 16, "num_key_value_heads": 2, "rope_theta": 1000000.0,
                           "tie_word_embeddings": true})",
             .parameters = 3085938688,
             .sequence = 1024},
    ModelRow{.name = "qwen2.5-14b",
             .title = "Qwen2.5 14B",
             .config = R"({"vocab_size": 152064, "hidden_size": 5120, "intermediate_size": 13824,
                           "num_hidden_layers": 48, "num_attention_heads": 40, "num_key_value_heads": 8,
                           "rope_theta": 1000000.0, "rms_norm_eps": 1e-5})",
             .parameters = 14770033664,
             .sequence = 1024},
    ModelRow{.name = "qwen2.5-32b",
             .title = "Qwen2.5 32B",
             .config = R"({"vocab_size": 152064, "hidden_size": 5120, "intermediate_size": 27648,
                           "num_hidden_layers": 64, "num_attention_heads": 40, "num_key_value_heads": 8,
                           "rope_theta": 1000000.0, "rms_norm_eps": 1e-5})",
             .parameters = 32763876352,
             .sequence = 1024},
};

}  // namespace

const Architecture& qwen2_architecture() {
  static const Architecture kArchitecture = {.model_type = "qwen2",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "Qwen2ForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
