// MaskFormer: transformers MaskFormerForInstanceSegmentation.
#include <array>
#include <cmath>
#include <numbers>
#include <string>

#include "base/elements.h"
#include "base/error.h"
#include "base/half.h"
#include "models/architectures.h"
#include "models/detection/detr_layers.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/resnet.h"
#include "models/vision/swin_backbone.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

using namespace fn;

/// MaskFormerConfig's backbone when none is named; the rest are SwinConfig's defaults.
constexpr const char* kDefaultBackbone = R"({"model_type": "swin", "image_size": 384, "embed_dim": 128,
    "depths": [2, 2, 18, 2], "num_heads": [4, 8, 16, 32], "window_size": 12})";

struct MaskFormer {
  Config backbone;
  std::string backbone_type;
  std::int64_t channels, pyramid_width, mask_width, labels, queries;
  DetrTransformer transformer;
  DetrStack decoder;

  MaskFormer(const Config& config, Attention attention)
      : backbone(config.has("backbone_config") ? config.object("backbone_config")
                                               : Config::parse(kDefaultBackbone, config.origin())),
        backbone_type(backbone.text("model_type")),
        channels(backbone.positive("num_channels", 3)),
        pyramid_width(config.positive("fpn_feature_size", 256)),
        mask_width(config.positive("mask_feature_size", 256)),
        labels(config.labels()) {
    if (backbone_type != "swin" && backbone_type != "maskformer-swin" && backbone_type != "resnet") {
      backbone.fail("model_type", "'" + backbone_type + "' is no backbone of MaskFormer; swin and resnet are");
    }
    if (config.flag("use_auxiliary_loss", false)) {
      config.fail("use_auxiliary_loss", "true is for training: the original fails with it in inference");
    }
    if (pyramid_width % kGroups != 0)
      config.fail("fpn_feature_size", "is not a multiple of the 32 groups of its norms");
    const Config detr =
        config.has("decoder_config") ? config.object("decoder_config") : Config::parse("{}", config.origin());
    if (detr.text("model_type", "detr") != "detr") detr.fail("model_type", "must be 'detr'");
    queries = detr.positive("num_queries", 100);
    transformer = {.prefix = "MaskFormerDetr",
                   .width = detr.positive("d_model", "hidden_size", 256),
                   .activation = detr.text("activation_function", "relu"),
                   .attention = attention,
                   .normalise_each = detr.flag("auxiliary_loss", false)};
    constexpr std::int64_t kMostLayers = 1024;
    decoder = {.layers = detr.bounded("decoder_layers", 6, kMostLayers),
               .heads = detr.positive("decoder_attention_heads", 8),
               .inner = detr.positive("decoder_ffn_dim", 2048)};
    if (transformer.width % decoder.heads != 0) detr.fail("decoder_attention_heads", "does not divide d_model");
    if (transformer.width % 2 != 0) detr.fail("d_model", "is odd: half of it is for rows, half for columns");
  }

  static constexpr std::int64_t kGroups = 32;
};

// --- pixel decoder: a feature pyramid, the last map first ---

/// A convolution without bias and its group normalization, modules "0" and "1" of the one in scope.
Tensor conv_norm(Builder& b, const Tensor& x, std::int64_t out, std::int64_t kernel) {
  const Tensor y =
      nn::conv2d(b, "0", x, out, {.kernel = {kernel, kernel}, .padding = {kernel / 2, kernel / 2}, .bias = false});
  const auto scope = b.scope("1", "GroupNorm");
  const Tensor weight = b.parameter("weight", {out}, InitSpec::constant(1));
  const Tensor bias = b.parameter("bias", {out}, InitSpec::constant(0));
  return b.call("aten.group_norm.default", {y, MaskFormer::kGroups, weight, bias, 1e-5, true});
}

Tensor pyramid_block(Builder& b, const std::string& name, const Tensor& x, std::int64_t out) {
  const auto scope = b.scope(name, "MaskFormerFPNConvLayer");
  const Tensor y = conv_norm(b, x, out, 3);
  const auto activation = b.scope("2", "ReLU");
  return relu_(y);
}

/// Pixel embeddings at the resolution of the first map.
Tensor decode_pixels(Builder& b, const MaskFormer& model, const std::vector<Tensor>& maps) {
  const auto scope = b.scope("decoder", "MaskFormerPixelDecoder");
  Tensor x;
  {
    const auto pyramid = b.scope("fpn", "MaskFormerFPNModel");
    x = pyramid_block(b, "stem", maps.back(), model.pyramid_width);
    for (std::size_t i = 0; i + 1 < maps.size(); ++i) {
      const auto layer = b.scope("layers." + std::to_string(i), "MaskFormerFPNLayer");
      Tensor lateral;
      {
        const auto projection = b.scope("proj", "Sequential");
        lateral = conv_norm(b, maps[maps.size() - 2 - i], model.pyramid_width, 1);
      }
      x = b.call("aten.upsample_nearest2d.vec", {x, Shape{lateral.size(2), lateral.size(3)}, kNone});
      x = b.call("aten.add_.Tensor", {x, lateral});
      x = pyramid_block(b, "block", x, model.pyramid_width);
    }
  }
  return nn::conv2d(b, "mask_projection", x, model.mask_width, {.kernel = {3, 3}, .padding = {1, 1}});
}

// --- transformer ---

/// The original keeps its sine position embedding from one inference to the next, so that in the steady state it is a
/// constant. [batch, width, rows, columns], calculated in `dtype`, operator by operator, as the original does.
HostTensor sine_positions(std::int64_t batch, std::int64_t width, std::int64_t rows, std::int64_t columns,
                          DType dtype) {
  const auto rounded = [dtype](float value) { return static_cast<float>(rounded_to(dtype, value)); };
  const std::int64_t half = width / 2;
  std::vector<float> periods;
  for (std::int64_t i = 0; i < half; ++i) {
    const std::int64_t pair = i / 2;
    const float step = rounded(rounded(rounded(static_cast<float>(pair)) * 2.0F) / static_cast<float>(half));
    periods.push_back(rounded(std::pow(10000.0F, step)));
  }
  const auto waves = [&](std::int64_t count) {  // [count, half]
    constexpr auto kTurn = static_cast<float>(2.0 * std::numbers::pi);
    std::vector<float> values;
    const float last = rounded(rounded(static_cast<float>(count)) + 1e-6F);
    for (std::int64_t i = 0; i < count; ++i) {
      const float angle = rounded(rounded(rounded(static_cast<float>(i + 1)) / last) * kTurn);
      for (std::int64_t j = 0; j < half; ++j) {
        const float phase = rounded(angle / periods[static_cast<std::size_t>(j)]);
        values.push_back(j % 2 == 0 ? std::sin(phase) : std::cos(phase));
      }
    }
    return values;
  };
  const std::vector<float> down = waves(rows);
  const std::vector<float> across = waves(columns);
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(batch * width * rows * columns));
  for (std::int64_t n = 0; n < batch; ++n) {
    for (std::int64_t c = 0; c < width; ++c) {
      const std::int64_t feature = c % half;
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
          values.push_back(c < half ? down[static_cast<std::size_t>(row * half + feature)]
                                    : across[static_cast<std::size_t>(column * half + feature)]);
        }
      }
    }
  }
  auto [tensor, bytes] = HostTensor::allocate(dtype, {batch, width, rows, columns});
  convert_floating(DType::kFloat32, reinterpret_cast<const std::byte*>(values.data()), dtype, bytes, values.size());
  return tensor;
}

/// [batch, queries, width] from the last feature map.
Tensor decode_queries(Builder& b, const MaskFormer& model, Tensor map, DType dtype) {
  const auto scope = b.scope("transformer_module", "MaskFormerTransformerModule");
  const std::int64_t width = model.transformer.width;
  const std::int64_t batch = map.size(0);
  if (map.size(1) != width) map = nn::conv2d(b, "input_projection", map, width, {.kernel = {1, 1}});
  const Tensor table = [&] {
    const auto embedder = b.scope("queries_embedder", "Embedding");
    return b.parameter("weight", {model.queries, width}, InitSpec::normal(0, 1));
  }();
  const Tensor query_positions = b.call("aten.repeat.default", {unsqueeze(table, 0), Shape{batch, 1, 1}});
  const Tensor queries = b.call("aten.zeros_like.default", {query_positions});
  const std::int64_t rows = map.size(2);
  const std::int64_t columns = map.size(3);
  const Tensor positions = b.constant(sine_positions(batch, width, rows, columns, dtype));
  const auto to_cells = [&](const Tensor& t) { return transpose(view(t, {batch, width, rows * columns}), 1, 2); };
  const Tensor cell_positions = to_cells(positions);
  const Tensor cells = to_cells(map);
  const auto decoder = b.scope("decoder", "MaskFormerDetrDecoder");
  return detr_decoder_layers(b, model.transformer, model.decoder, queries, query_positions, cells, cell_positions, {});
}

Tensor embed_masks(Builder& b, const MaskFormer& model, Tensor x) {
  const auto scope = b.scope("mask_embedder", "MaskformerMLPPredictionHead");
  for (int i = 0; i < 3; ++i) {
    const auto block = b.scope(std::to_string(i), "PredictionBlock");
    x = detr_linear(b, "0", x, i < 2 ? model.transformer.width : model.mask_width);
    if (i == 2) break;
    const auto activation = b.scope("1", "ReLU");
    x = relu(x);
  }
  return x;
}

Graph build(const Config& config, const ModelOptions& options) {
  const MaskFormer model(config, options.attention);
  constexpr std::int64_t kHeight = 800;
  constexpr std::int64_t kWidth = 1088;
  const std::int64_t height = options.height.value_or(kHeight);
  const std::int64_t width = options.width.value_or(kWidth);
  Builder b("maskformer", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {.ignored = {"criterion.*", "*.num_batches_tracked"},
                                .optional_prefixes = {},
                                .renames = {{"decoder.layers.*.fc1.", "decoder.layers.*.mlp.fc1."},
                                            {"decoder.layers.*.fc2.", "decoder.layers.*.mlp.fc2."},
                                            {".out_proj.", ".o_proj."}}};
  const auto top = b.scope("", "MaskFormerForInstanceSegmentation");
  const Tensor image = b.input("pixel_values", options.dtype, {options.batch, model.channels, height, width},
                               {InputKind::Content::kPixels, 0});
  std::vector<Tensor> maps;
  Tensor pixels;
  Tensor queries;
  {
    const auto scope = b.scope("model", "MaskFormerModel");
    // Nothing reads the mask, so that a given one is no input; a missing one is made all the same.
    if (options.padding == Padding::kNone) b.call("aten.ones.default", {Shape{options.batch, height, width}});
    {
      const auto module = b.scope("pixel_level_module", "MaskFormerPixelLevelModule");
      if (model.backbone_type == "resnet") {
        const auto encoder = b.scope("encoder", "ResNetBackbone");
        maps = hf_resnet_features(
            b, model.backbone, image,
            [](Builder& builder, const std::string& name, const Tensor& x) { return batch_norm_2d(builder, name, x); });
      } else {
        const auto encoder = b.scope("encoder", "MaskFormerSwinBackbone");
        maps = maskformer_swin_features(b, model.backbone, image);
      }
      if (maps.size() < 2) model.backbone.fail("out_features", "names one stage; the pixel decoder needs two or more");
      pixels = decode_pixels(b, model, maps);
    }
    queries = decode_queries(b, model, maps.back(), options.dtype);
  }
  const Tensor classes = detr_linear(b, "class_predictor", queries, model.labels + 1);
  const Tensor masks = embed_masks(b, model, queries);
  b.output("class_queries_logits", classes);
  b.output("masks_queries_logits",
           b.call("aten.einsum.default", {"bqc, bchw -> bqhw", std::vector<Tensor>{masks, pixels}}));
  b.output("encoder_last_hidden_state", maps.back());
  b.output("pixel_decoder_last_hidden_state", pixels);
  b.output("transformer_decoder_last_hidden_state", queries);
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "maskformer",
             .title = "MaskFormer Swin-B",
             .config = "{}",
             .parameters = 101793403,
             .height = 800,
             .width = 1088},
};

}  // namespace

const Architecture& maskformer_architecture() {
  static const Architecture kArchitecture = {.model_type = "maskformer",
                                             .domain = Domain::kImageSegmentation,
                                             .dataset = "COCO",
                                             .original = "MaskFormerForInstanceSegmentation",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
