// SigLIP's image encoder: transformers SiglipVisionModel.
#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/image_encoder.h"

namespace nongemm {
namespace {

using namespace fn;

constexpr ImageLayerNames kNames = {
    .attention = "self_attn", .output = "out_proj", .norm1 = "layer_norm1", .norm2 = "layer_norm2"};

/// nn.MultiheadAttention of one learned query over the tokens, whose weights are averaged though nobody asks for them.
/// probe [batch, 1, width], tokens [batch, n, width] -> [batch, 1, width]
Tensor probe_attention(Builder& b, const ImageEncoder& model, const Tensor& probe, const Tensor& tokens) {
  const auto scope = b.scope("attention", "MultiheadAttention");
  const std::int64_t batch = probe.size(0);
  const std::int64_t count = tokens.size(1);
  const std::int64_t width = model.width;
  const std::int64_t rows = batch * model.heads;
  const auto split = [&](const Tensor& whole) {
    return b.call_all("aten.split_with_sizes.default", {whole, Shape{width, 2 * width}});
  };
  const auto heads = [&](const Tensor& x) { return transpose(view(x, {x.size(0), rows, -1}), 0, 1); };

  const Tensor query = transpose(probe, 1, 0);
  const Tensor memory = transpose(tokens, 1, 0);
  const InitSpec init = nn::xavier_uniform(width, 3 * width);
  const auto weights = split(b.parameter("in_proj_weight", {3 * width, width}, init));
  const auto biases = split(b.parameter("in_proj_bias", {3 * width}, InitSpec::constant(0)));
  const Tensor q = linear(query, weights[0], biases[0]);
  Tensor kv = b.call("aten.unflatten.int", {linear(memory, weights[1], biases[1]), -1, Shape{2, width}});
  kv = transpose(unsqueeze(kv, 0), 0, -2);
  kv = contiguous(b.call("aten.squeeze.dim", {kv, -2}));
  const Tensor k = select(kv, 0, 0);
  const Tensor v = select(kv, 0, 1);
  const Tensor query_heads = heads(q);
  const Tensor key_heads = heads(k);
  const Tensor value_heads = heads(v);
  const Tensor scaled = mul(query_heads, std::sqrt(1.0 / static_cast<double>(model.head_width())));
  const auto product = [&](const Tensor& x, const Tensor& y) { return b.call("aten.bmm.default", {x, y}); };
  const Tensor attended = softmax(product(scaled, transpose(key_heads, -2, -1)), -1);
  Tensor out = view(transpose(product(attended, value_heads), 0, 1), {batch, width});
  const Tensor out_weight = b.parameter("out_proj.weight", {width, width}, nn::xavier_uniform(width, width));
  out = linear(out, out_weight, b.parameter("out_proj.bias", {width}, InitSpec::constant(0)));
  out = view(out, {1, batch, width});
  mean(view(attended, {batch, model.heads, 1, count}), 1, false);
  return transpose(out, 1, 0);
}

Tensor head(Builder& b, const ImageEncoder& model, const Tensor& tokens) {
  const auto scope = b.scope("head", "SiglipMultiheadAttentionPoolingHead");
  const Tensor probe = b.parameter("probe", {1, 1, model.width}, InitSpec::normal(0, 1));
  Tensor x = b.call("aten.repeat.default", {probe, Shape{tokens.size(0), 1, 1}});
  x = probe_attention(b, model, x, tokens);
  x = add(x, image_mlp(b, model, nn::layer_norm(b, "layernorm", x, model.epsilon)));
  return select(x, 1, 0);
}

Graph build(const Config& config, const ModelOptions& options) {
  ImageEncoder model = {.family = "Siglip", .activation = "gelu_pytorch_tanh"};
  model.read(config);
  Builder b("siglip_vision", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {.ignored = {"*.position_ids", "text_model.*", "logit_scale", "logit_bias"},
                                .optional_prefixes = {"vision_model."},
                                .renames = {}};
  const Tensor pixels = pixel_values_of_one_size(b, config, options, model);
  Tensor x;
  {
    const auto scope = b.scope("embeddings", "SiglipVisionEmbeddings");
    x = patch_tokens(b, "patch_embedding", to(pixels, b.dtype()), model);
    x = add(x, position_embedding(b, model, model.patches()));
  }
  for (std::int64_t i = 0; i < model.layers; ++i) {
    const auto encoder = b.scope("encoder", "SiglipEncoder");
    const auto layer = b.scope("layers." + std::to_string(i), "SiglipEncoderLayer");
    x = image_layer(b, model, kNames, x, options.attention);
  }
  x = nn::layer_norm(b, "post_layernorm", x, model.epsilon);
  b.output("last_hidden_state", x);
  if (config.flag("vision_use_head", true)) b.output("pooler_output", head(b, model, x));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "siglip-base",
             .title = "SigLIP B/16 image encoder",
             .config = "{}",
             .parameters = 92884224,
             .height = 224,
             .width = 224},
    ModelRow{.name = "siglip-so400m",
             .title = "SigLIP SO400M/14 image encoder",
             .config = R"({"hidden_size": 1152, "num_hidden_layers": 27, "num_attention_heads": 16,
                           "intermediate_size": 4304, "patch_size": 14, "image_size": 384})",
             .parameters = 428225600,
             .height = 384,
             .width = 384},
};

}  // namespace

const Architecture& siglip_vision_architecture() {
  static const Architecture kArchitecture = {.model_type = "siglip_vision_model",
                                             .domain = Domain::kImageClassification,
                                             .dataset = "ImageNet",
                                             .original = "SiglipVisionModel",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
