// CLIP's image encoder: transformers CLIPVisionModel, CLIPVisionModelWithProjection.
#include <array>

#include "models/architectures.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/image_encoder.h"

namespace nongemm {
namespace {

using namespace fn;

constexpr ImageLayerNames kNames = {
    .attention = "self_attn", .output = "out_proj", .norm1 = "layer_norm1", .norm2 = "layer_norm2"};

struct ClipOutputs {
  Tensor last_hidden_state, pooled;
};

/// CLIPVisionModel in scope.
ClipOutputs body(Builder& b, const ImageEncoder& model, const Tensor& pixels, Attention attention) {
  Tensor x;
  {
    const auto scope = b.scope("embeddings", "CLIPVisionEmbeddings");
    const Tensor token = b.parameter("class_embedding", {model.width}, model.init());
    x = patch_tokens(b, "patch_embedding", to(pixels, b.dtype()), model, /*bias=*/false);
    x = cat({expand(token, {pixels.size(0), 1, -1}), x}, 1);
    x = add(x, position_embedding(b, model, 1 + model.patches()));
  }
  x = nn::layer_norm(b, "pre_layrnorm", x, model.epsilon);
  for (std::int64_t i = 0; i < model.layers; ++i) {
    const auto encoder = b.scope("encoder", "CLIPEncoder");
    const auto layer = b.scope("layers." + std::to_string(i), "CLIPEncoderLayer");
    x = image_layer(b, model, kNames, x, attention, /*project_first=*/true);
  }
  return {x, nn::layer_norm(b, "post_layernorm", select(x, 1, 0), model.epsilon)};
}

Graph build(const Config& config, const ModelOptions& options) {
  ImageEncoder model = {.family = "CLIP", .patch = {32, 32}, .activation = "quick_gelu", .epsilon = 1e-5};
  model.read(config);
  Builder b("clip_vision", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {
      .ignored = {"*.position_ids", "text_model.*", "text_projection.*", "logit_scale", "visual_projection.*"},
      .optional_prefixes = {"vision_model."},
      .renames = {}};
  const Tensor pixels = pixel_values_of_one_size(b, config, options, model);
  if (built_class(clip_vision_architecture(), config) == "CLIPVisionModel") {
    const ClipOutputs outputs = body(b, model, pixels, options.attention);
    b.output("last_hidden_state", outputs.last_hidden_state);
    b.output("pooler_output", outputs.pooled);
    return b.finish();
  }
  ClipOutputs outputs;
  {
    const auto scope = b.scope("vision_model", "CLIPVisionModel");
    outputs = body(b, model, pixels, options.attention);
  }
  const std::int64_t projected = config.positive("projection_dim", 512);
  b.output("image_embeds", nn::linear(b, "visual_projection", outputs.pooled, projected, model.init(), false));
  b.output("last_hidden_state", outputs.last_hidden_state);
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "clip-vit-b",
             .title = "CLIP ViT-B/32 image encoder",
             .config = "{}",
             .parameters = 87456000,
             .height = 224,
             .width = 224},
    ModelRow{.name = "clip-vit-l",
             .title = "CLIP ViT-L/14 image encoder",
             .config = R"({"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
                           "intermediate_size": 4096, "patch_size": 14, "projection_dim": 768})",
             .parameters = 303179776,
             .height = 224,
             .width = 224},
};

}  // namespace

const Architecture& clip_vision_architecture() {
  static const Architecture kArchitecture = {.model_type = "clip_vision_model",
                                             .domain = Domain::kImageClassification,
                                             .dataset = "ImageNet",
                                             .original = "CLIPVisionModel",
                                             .build = build,
                                             .models = kModels,
                                             .more_originals = {"CLIPVisionModelWithProjection"}};
  return kArchitecture;
}

}  // namespace nongemm
