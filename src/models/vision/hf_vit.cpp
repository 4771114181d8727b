// Vision Transformer of transformers: ViTForImageClassification, ViTModel.
#include <array>

#include "models/architectures.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/image_encoder.h"

namespace nongemm {
namespace {

using namespace fn;

constexpr ImageLayerNames kNames = {
    .attention = "attention", .output = "o_proj", .norm1 = "layernorm_before", .norm2 = "layernorm_after"};

/// ViTModel in scope, without its pooler. [batch, 1 + patches, width]
Tensor body(Builder& b, const ImageEncoder& model, const Tensor& pixels, Attention attention) {
  Tensor x;
  {
    const auto scope = b.scope("embeddings", "ViTEmbeddings");
    const Tensor token = b.parameter("cls_token", {1, 1, model.width}, model.init());
    const Tensor positions = b.parameter("position_embeddings", {1, 1 + model.patches(), model.width}, model.init());
    {
      const auto patches = b.scope("patch_embeddings", "ViTPatchEmbeddings");
      x = patch_tokens(b, "projection", pixels, model);
    }
    x = add(cat({expand(token, {pixels.size(0), -1, -1}), x}, 1), positions);
  }
  for (std::int64_t i = 0; i < model.layers; ++i) {
    const auto layer = b.scope("layers." + std::to_string(i), "ViTLayer");
    x = image_layer(b, model, kNames, x, attention);
  }
  return nn::layer_norm(b, "layernorm", x, model.epsilon);
}

Graph build(const Config& config, const ModelOptions& options) {
  ImageEncoder model = {.family = "ViT", .epsilon = 1e-12};
  model.read(config);
  Builder b("vit", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {.ignored = {"vit.pooler.*", "vit.embeddings.mask_token"},
                                .optional_prefixes = {"vit."},
                                .renames = {{"encoder.layer.", "layers."},
                                            {".attention.attention.query.", ".attention.q_proj."},
                                            {".attention.attention.key.", ".attention.k_proj."},
                                            {".attention.attention.value.", ".attention.v_proj."},
                                            {".attention.output.dense.", ".attention.o_proj."},
                                            {".intermediate.dense.", ".mlp.fc1."},
                                            {"layers.*.output.dense.", "layers.*.mlp.fc2."}}};
  const Tensor pixels = pixel_values_of_one_size(b, config, options, model);
  if (built_class(hf_vit_architecture(), config) == "ViTModel") {
    const Tensor x = body(b, model, pixels, options.attention);
    b.output("last_hidden_state", x);
    const auto pooler = b.scope("pooler", "ViTPooler");
    const std::int64_t pooled = config.positive("pooler_output_size", model.width);
    const Tensor y = nn::linear(b, "dense", select(x, 1, 0), pooled, model.init());
    b.output("pooler_output", activation(y, config.text("pooler_act", "tanh"), "activation"));
    return b.finish();
  }
  Tensor x;
  {
    const auto scope = b.scope("vit", "ViTModel");
    x = body(b, model, pixels, options.attention);
  }
  b.output("logits", nn::linear(b, "classifier", select(x, 1, 0), config.labels(), model.init()));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "vit-base-hf",
             .title = "ViT-B/16 (transformers)",
             .config = R"({"num_labels": 1000})",
             .parameters = 86567656,
             .height = 224,
             .width = 224},
    ModelRow{.name = "vit-large-hf",
             .title = "ViT-L/16 (transformers)",
             .config = R"({"num_labels": 1000, "hidden_size": 1024, "num_hidden_layers": 24,
                           "num_attention_heads": 16, "intermediate_size": 4096})",
             .parameters = 304326632,
             .height = 224,
             .width = 224},
};

}  // namespace

const Architecture& hf_vit_architecture() {
  static const Architecture kArchitecture = {.model_type = "vit",
                                             .domain = Domain::kImageClassification,
                                             .dataset = "ImageNet",
                                             .original = "ViTForImageClassification",
                                             .build = build,
                                             .models = kModels,
                                             .more_originals = {"ViTModel"}};
  return kArchitecture;
}

}  // namespace nongemm
