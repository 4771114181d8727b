// Vision Transformer: torchvision VisionTransformer.
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

using namespace fn;

constexpr double kEpsilon = 1e-6;

struct Vit {
  std::int64_t image, patch, layers, heads, width, inner, classes, representation;

  explicit Vit(const Config& config)
      : image(config.positive("image_size")),
        patch(config.positive("patch_size")),
        layers(config.positive("num_layers")),
        heads(config.positive("num_heads")),
        width(config.positive("hidden_dim")),
        inner(config.positive("mlp_dim")),
        classes(config.positive("num_classes", 1000)),
        representation(config.has("representation_size") ? config.positive("representation_size") : 0) {
    constexpr std::int64_t kMostLayers = 1024;
    constexpr std::int64_t kLargest = 1 << 16;
    if (layers > kMostLayers) config.fail("num_layers", "is above 1024");
    if (image > kLargest) config.fail("image_size", "is above 65536");
    if (width > kLargest) config.fail("hidden_dim", "is above 65536");
    if (inner > kLargest * 4) config.fail("mlp_dim", "is above 262144");
    if (image % patch != 0) config.fail("patch_size", "does not divide image_size " + std::to_string(image));
    if (width % heads != 0) config.fail("num_heads", "does not divide hidden_dim " + std::to_string(width));
    if (config.has("conv_stem_configs")) config.fail("conv_stem_configs", "is not supported; leave it out");
  }
};

struct AttentionWeights {
  Tensor in_weight, in_bias, out_weight, out_bias;
};

/// nn.MultiheadAttention outside its fast path: one projection of the sequence-first tokens to query, key and value.
Tensor slow_attention(const Vit& model, const Tensor& x, const AttentionWeights& w) {
  const std::int64_t batch = x.size(0);
  const std::int64_t tokens = x.size(1);
  const std::int64_t head = model.width / model.heads;
  Tensor qkv = linear(transpose(x, 1, 0), w.in_weight, w.in_bias);
  qkv = x.builder().call("aten.unflatten.int", {qkv, -1, Shape{3, model.width}});
  qkv = transpose(unsqueeze(qkv, 0), 0, -2);
  qkv = contiguous(x.builder().call("aten.squeeze.dim", {qkv, -2}));
  std::array<Tensor, 3> parts;
  for (std::int64_t i = 0; i < 3; ++i) parts[static_cast<std::size_t>(i)] = select(qkv, 0, i);
  for (Tensor& part : parts) part = transpose(view(part, {tokens, batch * model.heads, head}), 0, 1);
  for (Tensor& part : parts) part = view(part, {batch, model.heads, tokens, head});
  Tensor out = permute(scaled_dot_product_attention(parts[0], parts[1], parts[2]), {2, 0, 1, 3});
  out = view(contiguous(out), {batch * tokens, model.width});
  out = view(linear(out, w.out_weight, w.out_bias), {tokens, batch, model.width});
  return transpose(out, 1, 0);
}

Tensor self_attention(Builder& b, const Vit& model, const Tensor& x, bool fast) {
  const auto scope = b.scope("self_attention", "MultiheadAttention");
  const std::int64_t width = model.width;
  const AttentionWeights w = {b.parameter("in_proj_weight", {3 * width, width}, nn::xavier_uniform(width, 3 * width)),
                              b.parameter("in_proj_bias", {3 * width}, InitSpec::constant(0)),
                              b.parameter("out_proj.weight", {width, width}, nn::xavier_uniform(width, width)),
                              b.parameter("out_proj.bias", {width}, InitSpec::constant(0))};
  if (!fast) return slow_attention(model, x, w);
  return b.call("aten._native_multi_head_attention.default",
                {x, x, x, width, model.heads, w.in_weight, w.in_bias, w.out_weight, w.out_bias},
                {{"need_weights", false}});
}

Tensor block(Builder& b, const Vit& model, std::int64_t layer, Tensor x, bool fast) {
  const auto scope = b.scope("encoder_layer_" + std::to_string(layer), "EncoderBlock");
  x = add(self_attention(b, model, nn::layer_norm(b, "ln_1", x, kEpsilon), fast), x);
  Tensor y = nn::layer_norm(b, "ln_2", x, kEpsilon);
  {
    const auto mlp = b.scope("mlp", "MLPBlock");
    y = nn::linear(b, "0", y, model.inner, nn::xavier_uniform(model.width, model.inner));
    {
      const auto activation = b.scope("1", "GELU");
      y = gelu(y);
    }
    y = nn::linear(b, "3", y, model.width, nn::xavier_uniform(model.inner, model.width));
  }
  return add(x, y);
}

/// The original takes the fast path in inference when the number of heads is even.
bool uses_fast_path(const Config& config, const Vit& model, Attention attention) {
  if (attention == Attention::kEager) {
    throw Error(ErrorKind::kUsage, config.origin() + ": attention 'eager' does not exist for torchvision's ViT",
                "leave the option out (the fused fast path of nn.MultiheadAttention), or use 'sdpa' (its path with "
                "torch.backends.mha.set_fastpath_enabled(False))");
  }
  return attention == Attention::kDefault && model.heads % 2 == 0;
}

Graph build(const Config& config, const ModelOptions& options) {
  const Vit model(config);
  const bool fast = uses_fast_path(config, model, options.attention);
  const std::int64_t height = options.height.value_or(model.image);
  const std::int64_t width = options.width.value_or(model.image);
  if (height != model.image || width != model.image) {
    throw Error(
        ErrorKind::kUsage,
        config.origin() + ": an image of " + std::to_string(height) + " x " + std::to_string(width) + " pixels",
        "the model takes " + std::to_string(model.image) + " x " + std::to_string(model.image) + " (image_size)");
  }
  Builder b("vit", options.dtype);
  b.graph().attributes["attention"] = fast ? "fast path" : "sdpa";
  b.graph().checkpoint_rules.renames = {{".mlp.linear_1.", ".mlp.0."}, {".mlp.linear_2.", ".mlp.3."}};

  const auto top = b.scope("", "VisionTransformer");
  const Tensor image = b.input("0", options.dtype, {options.batch, 3, height, width}, {InputKind::Content::kPixels, 0});
  const Tensor patches = nn::conv2d(b, "conv_proj", image, model.width,
                                    {.kernel = {model.patch, model.patch}, .stride = {model.patch, model.patch}});
  Tensor x = permute(reshape(patches, {options.batch, model.width, patches.size(2) * patches.size(3)}), {0, 2, 1});
  const Tensor token = b.parameter("class_token", {1, 1, model.width}, InitSpec::normal(0, 0.02));
  x = cat({expand(token, {options.batch, -1, -1}), x}, 1);
  {
    const auto encoder = b.scope("encoder", "Encoder");
    x = add(x, b.parameter("pos_embedding", {1, x.size(1), model.width}, InitSpec::normal(0, 0.02)));
    {
      const auto layers = b.scope("layers", "Sequential");
      for (std::int64_t i = 0; i < model.layers; ++i) x = block(b, model, i, x, fast);
    }
    x = nn::layer_norm(b, "ln", x, kEpsilon);
  }
  x = select(x, 1, 0);
  const auto heads = b.scope("heads", "Sequential");
  if (model.representation > 0) {
    x = nn::linear(b, "pre_logits", x, model.representation);
    const auto activation = b.scope("act", "Tanh");
    x = b.call("aten.tanh.default", {x});
  }
  b.output("output", nn::linear(b, "head", x, model.classes));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "vit-b",
             .title = "ViT-B/16",
             .config = R"({"image_size": 224, "patch_size": 16, "num_layers": 12, "num_heads": 12, "hidden_dim": 768,
                           "mlp_dim": 3072})",
             .parameters = 86567656,
             .height = 224,
             .width = 224},
    ModelRow{.name = "vit-l",
             .title = "ViT-L/16",
             .config = R"({"image_size": 224, "patch_size": 16, "num_layers": 24, "num_heads": 16, "hidden_dim": 1024,
                           "mlp_dim": 4096})",
             .parameters = 304326632,
             .height = 224,
             .width = 224},
    ModelRow{.name = "vit-h",
             .title = "ViT-H/14",
             .config = R"({"image_size": 224, "patch_size": 14, "num_layers": 32, "num_heads": 16, "hidden_dim": 1280,
                           "mlp_dim": 5120})",
             .parameters = 632045800,
             .height = 224,
             .width = 224},
};

}  // namespace

const Architecture& vit_architecture() {
  static const Architecture kArchitecture = {.model_type = "torchvision.vision_transformer",
                                             .domain = Domain::kImageClassification,
                                             .dataset = "ImageNet",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
