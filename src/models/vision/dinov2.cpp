// DINOv2: transformers Dinov2Model, Dinov2ForImageClassification.
#include <array>
#include <cmath>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/attention.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/image_encoder.h"

namespace nongemm {
namespace {

using namespace fn;

struct Dinov2 : ImageEncoder {
  bool gated;
  double layer_scale;

  explicit Dinov2(const Config& config)
      : ImageEncoder{.family = "Dinov2", .patch = {14, 14}},
        gated(config.flag("use_swiglu_ffn", false)),
        layer_scale(config.number("layerscale_value", 1.0)) {
    read(config);
    const double ratio = config.number("mlp_ratio", 4);
    inner = static_cast<std::int64_t>(static_cast<double>(width) * ratio);
    if (ratio <= 0 || inner < 1 || inner > std::int64_t{1} << 24) config.fail("mlp_ratio", "is out of range");
    if (gated) inner = (static_cast<std::int64_t>(static_cast<double>(inner) * 2 / 3) + 7) / 8 * 8;
    if (patch[0] != patch[1]) config.fail("patch_size", "is not square");
  }
};

/// The learned positions, resized where the image is not of the size that they were learned for.
/// @param rows, columns of patches
Tensor positions_for(Builder& b, const Config& config, const Dinov2& model, std::array<std::int64_t, 2> pixels) {
  const std::int64_t rows = pixels[0] / model.patch[0];
  const std::int64_t columns = pixels[1] / model.patch[1];
  const std::int64_t learned = model.patches();
  const Tensor table = b.parameter("position_embeddings", {1, 1 + learned, model.width}, model.init());
  if (rows * columns == learned && pixels[0] == pixels[1]) return table;
  const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(learned)));
  if (side * side != learned) config.fail("image_size", "is not square: other images than of its size do not fit");
  if (rows < 1 || columns < 1) {
    throw Error(ErrorKind::kUsage, config.origin() + ": the image is smaller than a patch",
                "use at least " + std::to_string(model.patch[0]) + " x " + std::to_string(model.patch[1]) + " pixels");
  }
  const Tensor token = slice(table, 1, 0, 1);
  Tensor map = reshape(slice(table, 1, 1, kToEnd), {1, side, side, model.width});
  map = to(permute(map, {0, 3, 1, 2}), DType::kFloat32);
  map = b.call("aten.upsample_bicubic2d.vec", {map, Shape{rows, columns}, false, kNone});
  map = view(permute(to(map, b.dtype()), {0, 2, 3, 1}), {1, -1, model.width});
  return cat({token, map}, 1);
}

Tensor embeddings(Builder& b, const Config& config, const Dinov2& model, const Tensor& pixels) {
  const auto scope = b.scope("embeddings", "Dinov2Embeddings");
  const Tensor token = b.parameter("cls_token", {1, 1, model.width}, model.init());
  if (config.flag("use_mask_token", true)) b.parameter("mask_token", {1, model.width}, InitSpec::constant(0));
  const Tensor taken = to(pixels, b.dtype());
  Tensor x;
  {
    const auto patches = b.scope("patch_embeddings", "Dinov2PatchEmbeddings");
    x = patch_tokens(b, "projection", taken, model);
  }
  x = cat({expand(token, {pixels.size(0), -1, -1}), x}, 1);
  return add(x, positions_for(b, config, model, {pixels.size(2), pixels.size(3)}));
}

Tensor attend(Builder& b, const Dinov2& model, const Tensor& x, Attention implementation) {
  const auto scope = b.scope("attention", "Dinov2Attention");
  Tensor out;
  {
    const auto self = b.scope("attention", "Dinov2SelfAttention");
    const auto project = [&](const char* name) {
      const Tensor y = nn::linear(b, name, x, model.width, model.init(), model.qkv_bias);
      return transpose(view(y, {x.size(0), -1, model.heads, model.head_width()}), 1, 2);
    };
    const Tensor key = project("key");
    const Tensor value = project("value");
    const Tensor query = project("query");
    const double scaling = 1.0 / std::sqrt(static_cast<double>(model.head_width()));
    const Tensor attended = attention(query, key, value, {}, scaling, implementation);
    out = reshape(attended, {x.size(0), x.size(1), model.width});
  }
  const auto output = b.scope("output", "Dinov2SelfOutput");
  return nn::linear(b, "dense", out, model.width, model.init());
}

Tensor scaled(Builder& b, const Dinov2& model, const char* name, const Tensor& x) {
  const auto scope = b.scope(name, "Dinov2LayerScale");
  return mul(x, b.parameter("lambda1", {model.width}, InitSpec::constant(model.layer_scale)));
}

Tensor feed_forward(Builder& b, const Dinov2& model, const Tensor& x) {
  if (!model.gated) return image_mlp(b, model, x, "activation");
  const auto scope = b.scope("mlp", "Dinov2SwiGLUFFN");
  const std::vector<Tensor> halves = chunk(nn::linear(b, "weights_in", x, 2 * model.inner, model.init()), 2, -1);
  const Tensor gate = b.call("aten.silu.default", {halves[0]});
  return nn::linear(b, "weights_out", mul(gate, halves[1]), model.width, model.init());
}

struct Dinov2Outputs {
  Tensor tokens;  // [batch, 1 + patches, width]
  Tensor pooled;  // the first of them
};

/// Dinov2Model in scope.
Dinov2Outputs body(Builder& b, const Config& config, const Dinov2& model, const Tensor& pixels, Attention attention) {
  Tensor x = embeddings(b, config, model, pixels);
  for (std::int64_t i = 0; i < model.layers; ++i) {
    const auto encoder = b.scope("encoder", "Dinov2Encoder");
    const auto layer = b.scope("layer." + std::to_string(i), "Dinov2Layer");
    const Tensor attended = attend(b, model, nn::layer_norm(b, "norm1", x, model.epsilon), attention);
    x = add(scaled(b, model, "layer_scale1", attended), x);
    const Tensor y = feed_forward(b, model, nn::layer_norm(b, "norm2", x, model.epsilon));
    x = add(scaled(b, model, "layer_scale2", y), x);
  }
  x = nn::layer_norm(b, "layernorm", x, model.epsilon);
  return {x, select(x, 1, 0)};
}

Graph build(const Config& config, const ModelOptions& options) {
  const Dinov2 model(config);
  Builder b("dinov2", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules.optional_prefixes = {"dinov2."};
  const Tensor pixels = pixel_values(b, options, model.channels, model.image);
  if (built_class(dinov2_architecture(), config) == "Dinov2Model") {
    const Dinov2Outputs outputs = body(b, config, model, pixels, options.attention);
    b.output("last_hidden_state", outputs.tokens);
    b.output("pooler_output", outputs.pooled);
    return b.finish();
  }
  Tensor x;
  {
    const auto scope = b.scope("dinov2", "Dinov2Model");
    x = body(b, config, model, pixels, options.attention).tokens;
  }
  const Tensor token = select(x, 1, 0);
  const Tensor both = cat({token, mean(slice(x, 1, 1, kToEnd), 1, false)}, 1);
  b.output("logits", nn::linear(b, "classifier", both, config.labels(), model.init()));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "dinov2-small",
             .title = "DINOv2 S/14",
             .config = R"({"hidden_size": 384, "num_attention_heads": 6, "image_size": 518})",
             .parameters = 22056576,
             .height = 224,
             .width = 224},
    ModelRow{.name = "dinov2-base",
             .title = "DINOv2 B/14",
             .config = R"({"image_size": 518})",
             .parameters = 86580480,
             .height = 224,
             .width = 224},
    ModelRow{.name = "dinov2-large",
             .title = "DINOv2 L/14",
             .config = R"({"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16,
                           "image_size": 518})",
             .parameters = 304368640,
             .height = 224,
             .width = 224},
};

}  // namespace

const Architecture& dinov2_architecture() {
  static const Architecture kArchitecture = {.model_type = "dinov2",
                                             .domain = Domain::kImageClassification,
                                             .dataset = "ImageNet",
                                             .original = "Dinov2Model",
                                             .build = build,
                                             .models = kModels,
                                             .more_originals = {"Dinov2ForImageClassification"}};
  return kArchitecture;
}

}  // namespace nongemm
