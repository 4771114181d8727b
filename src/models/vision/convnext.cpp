// ConvNeXt: transformers ConvNextForImageClassification, ConvNextModel.
#include <array>
#include <string>
#include <vector>

#include "models/architectures.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/image_encoder.h"

namespace nongemm {
namespace {

using namespace fn;

/// Of all norms but the last, whatever the configuration says.
constexpr double kEpsilon = 1e-6;

struct ConvNext {
  std::int64_t channels, patch, image;
  std::vector<std::int64_t> depths, widths;
  std::string activation;
  double last_epsilon, layer_scale, deviation;

  explicit ConvNext(const Config& config)
      : channels(config.positive("num_channels", 3)),
        patch(config.positive("patch_size", 4)),
        image(config.bounded("image_size", 224, 1 << 16)),
        depths(config.integers("depths", {3, 3, 9, 3})),
        widths(config.integers("hidden_sizes", {96, 192, 384, 768})),
        activation(config.text("hidden_act", "gelu")),
        last_epsilon(config.number("layer_norm_eps", 1e-12)),
        layer_scale(config.number("layer_scale_init_value", 1e-6)),
        deviation(config.number("initializer_range", 0.02)) {
    const auto stages = static_cast<std::size_t>(config.bounded("num_stages", 4, 64));
    if (depths.size() < stages) config.fail("depths", "has fewer entries than num_stages");
    if (widths.size() != stages) config.fail("hidden_sizes", "has not num_stages entries");
    depths.resize(stages);
    for (const std::int64_t depth : depths) {
      if (depth < 0 || depth > kMostLayers) config.fail("depths", "holds " + std::to_string(depth));
    }
    for (const std::int64_t width : widths) {
      if (width < 1 || width > 1 << 20) config.fail("hidden_sizes", "holds " + std::to_string(width));
    }
  }
};

Tensor norm(Builder& b, const char* name, const Tensor& x) {
  const auto scope = b.scope(name, "ConvNextLayerNorm");
  const std::int64_t width = x.size(-1);
  const Tensor weight = b.parameter("weight", {width}, InitSpec::constant(1));
  return layer_norm(x, {width}, weight, b.parameter("bias", {width}, InitSpec::constant(0)), kEpsilon);
}

/// Over the channels of a map [batch, channels, height, width].
Tensor map_norm(Builder& b, const char* name, const Tensor& x) {
  const auto scope = b.scope(name, "ConvNextLayerNorm");
  const std::int64_t width = x.size(1);
  const Tensor weight = b.parameter("weight", {width}, InitSpec::constant(1));
  const Tensor bias = b.parameter("bias", {width}, InitSpec::constant(0));
  return permute(layer_norm(permute(x, {0, 2, 3, 1}), {width}, weight, bias, kEpsilon), {0, 3, 1, 2});
}

Tensor layer(Builder& b, const ConvNext& model, const std::string& name, const Tensor& x) {
  const auto scope = b.scope(name, "ConvNextLayer");
  const std::int64_t width = x.size(1);
  const InitSpec init = InitSpec::normal(0, model.deviation);
  Tensor y = nn::conv2d(b, "dwconv", x, width, {.kernel = {7, 7}, .padding = {3, 3}, .groups = width});
  y = norm(b, "layernorm", permute(y, {0, 2, 3, 1}));
  y = activation(nn::linear(b, "pwconv1", y, 4 * width, init), model.activation);
  y = nn::linear(b, "pwconv2", y, width, init);
  if (model.layer_scale > 0) {
    y = mul(b.parameter("layer_scale_parameter", {width}, InitSpec::constant(model.layer_scale)), y);
  }
  return add(x, permute(y, {0, 3, 1, 2}));
}

struct ConvNextOutputs {
  Tensor map, pooled;
};

/// ConvNextModel in scope.
ConvNextOutputs body(Builder& b, const ConvNext& model, const Tensor& pixels) {
  Tensor x;
  {
    const auto scope = b.scope("embeddings", "ConvNextEmbeddings");
    const Shape patch = {model.patch, model.patch};
    x = nn::conv2d(b, "patch_embeddings", pixels, model.widths[0], {.kernel = patch, .stride = patch});
    x = map_norm(b, "layernorm", x);
  }
  for (std::size_t i = 0; i < model.widths.size(); ++i) {
    const auto encoder = b.scope("encoder", "ConvNextEncoder");
    const auto stage = b.scope("stages." + std::to_string(i), "ConvNextStage");
    if (i > 0) {
      x = map_norm(b, "downsampling_layer.0", x);
      x = nn::conv2d(b, "downsampling_layer.1", x, model.widths[i], {.kernel = {2, 2}, .stride = {2, 2}});
    }
    for (std::int64_t k = 0; k < model.depths[i]; ++k) x = layer(b, model, "layers." + std::to_string(k), x);
  }
  const Tensor pooled = b.call("aten.mean.dim", {x, Shape{-2, -1}});
  return {x, nn::layer_norm(b, "layernorm", pooled, model.last_epsilon)};
}

Graph build(const Config& config, const ModelOptions& options) {
  const ConvNext model(config);
  Builder b("convnext", options.dtype);
  b.graph().checkpoint_rules.optional_prefixes = {"convnext."};
  const Tensor pixels = pixel_values(b, options, model.channels, {model.image, model.image});
  if (built_class(convnext_architecture(), config) == "ConvNextModel") {
    const ConvNextOutputs outputs = body(b, model, pixels);
    b.output("last_hidden_state", outputs.map);
    b.output("pooler_output", outputs.pooled);
    return b.finish();
  }
  Tensor x;
  {
    const auto scope = b.scope("convnext", "ConvNextModel");
    x = body(b, model, pixels).pooled;
  }
  b.output("logits", nn::linear(b, "classifier", x, config.labels(), InitSpec::normal(0, model.deviation)));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "convnext-tiny",
             .title = "ConvNeXt-T",
             .config = R"({"num_labels": 1000})",
             .parameters = 28589128,
             .height = 224,
             .width = 224},
    ModelRow{.name = "convnext-base",
             .title = "ConvNeXt-B",
             .config = R"({"num_labels": 1000, "depths": [3, 3, 27, 3], "hidden_sizes": [128, 256, 512, 1024]})",
             .parameters = 88591464,
             .height = 224,
             .width = 224},
};

}  // namespace

const Architecture& convnext_architecture() {
  static const Architecture kArchitecture = {.model_type = "convnext",
                                             .domain = Domain::kImageClassification,
                                             .dataset = "ImageNet",
                                             .original = "ConvNextForImageClassification",
                                             .build = build,
                                             .models = kModels,
                                             .more_originals = {"ConvNextModel"}};
  return kArchitecture;
}

}  // namespace nongemm
