// Gemma 3, text only, with the language-model head: transformers Gemma3ForCausalLM.
#include <array>
#include <cmath>
#include <string>

#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "Gemma3",
                   .model_class = "Gemma3TextModel",
                   .vocabulary = 262208,
                   .positions = 131072,
                   .width = 2304,
                   .layers = 26,
                   .heads = 8,
                   .inner = 9216,
                   .key_heads = 4,
                   .head_width = 256,
                   .norm = RmsNorm::kGemma,
                   .head_norm = HeadNorm::kAfterTranspose,
                   .sandwich_norms = true,
                   .scaled_words = true,
                   .activation = "gelu_pytorch_tanh",
                   .activation_key = "hidden_activation",
                   .tied = true,
                   .padding = 0,
                   .always_full_mask = true,
                   .always_sliding_mask = true};
  model.read(config);
  model.scaling = 1.0 / std::sqrt(config.number("query_pre_attn_scalar", 256));
  model.final_softcap = config.is_null("final_logit_softcapping") ? 0.0 : config.number("final_logit_softcapping", 0.0);
  model.qkv_bias = model.output_bias = config.flag("attention_bias", false);
  if (model.width % model.heads != 0) {
    config.fail("num_attention_heads", "does not divide hidden_size " + std::to_string(model.width));
  }
  model.window = size_or_none(config, "sliding_window", 4096);
  // One layer in six sees everything.
  const std::int64_t pattern = config.positive("sliding_window_pattern", 6);
  model.read_layer_types(config, [&](std::int64_t layer) { return (layer + 1) % pattern != 0; });
  const LayerRopes ropes = read_layer_ropes(config, model.head_width, model.positions,
                                            {.full_theta = "rope_theta",
                                             .sliding_theta = "rope_local_base_freq",
                                             .full_default = 1000000.0,
                                             .sliding_default = 10000.0,
                                             .scales_both = false});
  model.rope = ropes.full;
  model.sliding_rope = ropes.sliding;
  return build_decoder(model, config, options);
}

constexpr std::array kModels = {
    ModelRow{
        .name = "gemma3-1b",
        .title = "Gemma 3 1B",
        .config = R"({"vocab_size": 262144, "hidden_size": 1152, "intermediate_size": 6912, "num_attention_heads": 4,
                           "num_key_value_heads": 1, "max_position_embeddings": 32768, "sliding_window": 512})",
        .parameters = 999885952,
        .sequence = 1024},
    ModelRow{.name = "gemma3-4b",
             .title = "Gemma 3 4B, text only",
             .config = R"({"hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 34,
                           "sliding_window": 1024, "rope_scaling": {"rope_type": "linear", "factor": 8.0}})",
             .parameters = 3880263168,
             .sequence = 1024},
};

}  // namespace

const Architecture& gemma3_architecture() {
  static const Architecture kArchitecture = {.model_type = "gemma3_text",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "Gemma3ForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
