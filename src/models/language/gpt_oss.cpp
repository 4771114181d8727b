// gpt-oss with the language-model head: transformers GptOssForCausalLM, its experts in the model's own type.
#include <array>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/decoder.h"

namespace nongemm {
namespace {

/// What the original fills in where the configuration says nothing.
constexpr const char* kRope = R"({"rope_parameters": {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0,
    "beta_slow": 1.0, "truncate": false, "original_max_position_embeddings": 4096}})";

Graph build(const Config& config, const ModelOptions& options) {
  Decoder model = {.family = "GptOss",
                   .model_class = "GptOssModel",
                   .vocabulary = 201088,
                   .positions = 131072,
                   .width = 2880,
                   .layers = 36,
                   .heads = 64,
                   .inner = 2880,
                   .key_heads = 8,
                   .head_width = 64,
                   .norm = RmsNorm::kGptOss,
                   .rotation = Rotation::kHalves,
                   .sinks = true,
                   .experts = Experts{.block_class = "GptOssMLP",
                                      .router_class = "GptOssTopKRouter",
                                      .experts_class = "GptOssExperts",
                                      .router = Router::kGptOss,
                                      .count = 128,
                                      .chosen = 4},
                   .epsilon = 1e-5,
                   .always_full_mask = true,
                   .always_sliding_mask = true};
  model.read(config);
  model.qkv_bias = model.output_bias = config.flag("attention_bias", true);
  model.window = size_or_none(config, "sliding_window", 128);
  model.read_layer_types(config, [](std::int64_t layer) { return layer % 2 == 0; });
  const bool has_rope = config.has("rope_parameters") || config.has("rope_scaling");
  const Config filled = has_rope ? config : config.overlaid(Config::parse(kRope, config.origin()));
  model.rope = Rope::read(filled, model.head_width, model.positions, {.theta = 150000.0});
  model.rope.casts_factors = model.rope.half_tables = true;
  if (options.attention == Attention::kSdpa) {
    throw Error(ErrorKind::kUnsupported, "gpt-oss has no scaled_dot_product_attention: it has no place for sinks",
                "leave --attention out, or say eager");
  }
  ModelOptions eager = options;
  eager.attention = Attention::kEager;
  return build_decoder(model, config, eager);
}

constexpr std::array kModels = {
    ModelRow{.name = "gpt-oss-20b",
             .title = "gpt-oss 20B",
             .config = R"({"num_hidden_layers": 24, "num_local_experts": 32})",
             .parameters = 20914757184,
             .sequence = 1024},
    ModelRow{.name = "gpt-oss-120b",
             .title = "gpt-oss 120B",
             .config = R"({})",
             .parameters = 116829156672,
             .sequence = 1024},
};

}  // namespace

const Architecture& gpt_oss_architecture() {
  static const Architecture kArchitecture = {.model_type = "gpt_oss",
                                             .domain = Domain::kLanguage,
                                             .dataset = "wikitext",
                                             .original = "GptOssForCausalLM",
                                             .build = build,
                                             .models = kModels,
                                             .generates = true};
  return kArchitecture;
}

}  // namespace nongemm
