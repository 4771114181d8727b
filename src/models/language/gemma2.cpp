// Gemma 2 with the language-model head: transformers Gemma2ForCausalLM.
#include <array>
#include <cmath>
#include <string>

#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "Gemma2",
                   .model_class = "Gemma2Model",
                   .vocabulary = 256000,
                   .positions = 8192,
                   .width = 2304,
                   .layers = 26,
                   .heads = 8,
                   .inner = 9216,
                   .key_heads = 4,
                   .head_width = 256,
                   .norm = RmsNorm::kGemma,
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
  model.attention_softcap =
      config.is_null("attn_logit_softcapping") ? 0.0 : config.number("attn_logit_softcapping", 50.0);
  model.final_softcap =
      config.is_null("final_logit_softcapping") ? 0.0 : config.number("final_logit_softcapping", 30.0);
  model.qkv_bias = model.output_bias = config.flag("attention_bias", false);
  if (model.width % model.heads != 0) {
    config.fail("num_attention_heads", "does not divide hidden_size " + std::to_string(model.width));
  }
  model.window = size_or_none(config, "sliding_window", 4096);
  model.read_layer_types(config, [](std::int64_t layer) { return layer % 2 == 0; });
  model.rope = Rope::read(config, model.head_width, model.positions);
  model.rope.casts_factors = true;
  return build_decoder(model, config, options);
}

constexpr std::array kModels = {
    ModelRow{.name = "gemma2-2b", .title = "Gemma 2 2B", .config = R"({})", .parameters = 2614341888, .sequence = 1024},
    ModelRow{.name = "gemma2-9b",
             .title = "Gemma 2 9B",
             .config = R"({"hidden_size": 3584, "intermediate_size": 14336, "num_hidden_layers": 42,
                           "num_attention_heads": 16, "num_key_value_heads": 8})",
             .parameters = 9241705984,
             .sequence = 1024},
};

}  // namespace

const Architecture& gemma2_architecture() {
  static const Architecture kArchitecture = {.model_type = "gemma2",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "Gemma2ForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
