// DETR: transformers DetrForObjectDetection. A ResNet with frozen batch normalization, an encoder over its last
// feature map, and a decoder whose queries become class scores and boxes.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "models/architectures.h"
#include "models/detection/detr_layers.h"
#include "models/parts/functional.h"
#include "models/parts/masking.h"
#include "models/vision/resnet.h"

namespace nongemm {
namespace {

using namespace fn;

struct Detr {
  DetrTransformer transformer;
  DetrStack encoder, decoder;
  std::int64_t queries, labels, channels;
  bool sine;

  static constexpr std::int64_t kMostLayers = 1024;

  explicit Detr(const Config& config)
      : encoder{config.positive("encoder_layers", "num_hidden_layers", 6),
                config.positive("encoder_attention_heads", "num_attention_heads", 8),
                config.positive("encoder_ffn_dim", 2048)},
        decoder{config.positive("decoder_layers", 6), config.positive("decoder_attention_heads", 8),
                config.positive("decoder_ffn_dim", 2048)},
        queries(config.positive("num_queries", 100)),
        labels(config.labels()),
        channels(config.positive("num_channels", 3)) {
    if (encoder.layers > kMostLayers) config.fail("encoder_layers", "is above 1024");
    if (decoder.layers > kMostLayers) config.fail("decoder_layers", "is above 1024");
    transformer.width = config.positive("d_model", "hidden_size", 256);
    transformer.activation = config.text("activation_function", "relu");
    transformer.normalise_each = config.flag("auxiliary_loss", false);
    const std::string positions = config.text("position_embedding_type", "sine");
    sine = positions == "sine" || positions == "v2";
    if (!sine && positions != "learned" && positions != "v3") {
      config.fail("position_embedding_type", "is neither 'sine' nor 'learned'");
    }
    if (transformer.width % 4 != 0) config.fail("d_model", "is not a multiple of 4");
    if (transformer.width % encoder.heads != 0) config.fail("encoder_attention_heads", "does not divide d_model");
    if (transformer.width % decoder.heads != 0) config.fail("decoder_attention_heads", "does not divide d_model");
  }
};

/// Feature maps by timm's numbers: 0 is the stem, 1 to 4 the stages, -1 the last of them.
std::vector<Tensor> timm_features(Builder& b, const Config& config, const std::string& name,
                                  std::vector<std::int64_t> indices, std::int64_t output_stride, const Tensor& pixels) {
  ResNet resnet = ResNet::timm(name);
  if (output_stride != 8 && output_stride != 16 && output_stride != 32) {
    config.fail("output_stride", "is not 8, 16 or 32");
  }
  resnet.output_stride = output_stride;
  constexpr std::int64_t kStages = 4;
  if (indices.empty()) config.fail("out_indices", "is empty");
  for (std::int64_t& index : indices) {
    if (index < 0) index += kStages + 1;
    if (index < 0 || index > kStages) config.fail("out_indices", "is not a list of stages from 0 to 4, or -5 to -1");
  }
  resnet.last_stage = static_cast<std::size_t>(*std::max_element(indices.begin(), indices.end()));
  const std::vector<Tensor> stages = resnet_features(b, resnet, pixels, detr_frozen_batch_norm_2d);
  std::vector<Tensor> features;
  for (const std::int64_t index : indices) features.push_back(stages[static_cast<std::size_t>(index)]);
  return features;
}

std::vector<Tensor> backbone(Builder& b, const Config& config, const Tensor& pixels) {
  const std::vector<std::int64_t> all = {1, 2, 3, 4};
  if (config.has("backbone_config")) {
    const auto scope = b.scope("model", "Backbone");
    const Config inner = config.object("backbone_config");
    const std::string type = inner.text("model_type", "resnet");
    if (type == "resnet") return hf_resnet_features(b, inner, pixels, detr_frozen_batch_norm_2d);
    if (type != "timm_backbone") inner.fail("model_type", "is neither 'resnet' nor 'timm_backbone'");
    return timm_features(b, inner, inner.text("backbone", "resnet50"), inner.integers("out_indices", all),
                         inner.integer("output_stride", 32), pixels);
  }
  // As published before transformers 5: the backbone's name, and its options beside it.
  const auto scope = b.scope("model", "Backbone");
  const Config options = config.has("backbone_kwargs") ? config.object("backbone_kwargs") : Config::parse("{}", "{}");
  const std::int64_t stride = config.flag("dilation", false) ? 16 : 32;
  return timm_features(b, config, config.text("backbone", "resnet50"), options.integers("out_indices", all),
                       options.integer("output_stride", stride), pixels);
}

/// The pixel mask at a feature map's resolution: [batch, height, width] bool.
Tensor shrink_mask(Builder& b, const Tensor& mask, const Tensor& feature) {
  const Tensor resized = b.call("aten.upsample_nearest2d.vec",
                                {to(unsqueeze(mask, 0), DType::kFloat32), Shape{feature.size(2), feature.size(3)}});
  return select(to(resized, DType::kBool), 0, 0);
}

/// Whether the mask [batch, height, width] still hides something at a feature map's resolution, by the neighbours that
/// upsample_nearest2d takes. A mask of an unusual type is taken to.
bool hides_cells(const HostTensor& mask, std::int64_t rows, std::int64_t columns) {
  if (mask.dtype != DType::kInt64 || mask.shape.size() != 3) return true;
  const std::int64_t height = mask.shape[1];
  const std::int64_t width = mask.shape[2];
  const auto source = [](std::int64_t cell, std::int64_t pixels, std::int64_t cells) {
    const float scale = static_cast<float>(pixels) / static_cast<float>(cells);
    return std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(cell) * scale)), pixels - 1);
  };
  for (std::int64_t n = 0; n < mask.shape[0]; ++n) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t* line = mask.as<std::int64_t>() + (n * height + source(row, height, rows)) * width;
      for (std::int64_t column = 0; column < columns; ++column) {
        if (line[source(column, width, columns)] == 0) return true;
      }
    }
  }
  return false;
}

Tensor learned_positions(Builder& b, const Config& config, std::int64_t batch, std::int64_t height, std::int64_t width,
                         std::int64_t features) {
  constexpr std::int64_t kRows = 50;
  if (height > kRows || width > kRows) {
    config.fail("position_embedding_type", "'learned' knows 50 rows and columns; the image is too large");
  }
  const auto look_up = [&](const char* name, const Tensor& indices) {
    const auto scope = b.scope(name, "Embedding");
    return embedding(b.parameter("weight", {kRows, features}, InitSpec::uniform(0, 1)), indices);
  };
  const auto repeat = [&](const Tensor& x, const Shape& repeats) {
    return b.call("aten.repeat.default", {x, repeats});
  };
  const Tensor columns = b.call("aten.arange.default", {width});
  const Tensor rows = b.call("aten.arange.default", {height});
  const Tensor x = look_up("column_embeddings", columns);
  const Tensor y = look_up("row_embeddings", rows);
  const Tensor wide = repeat(unsqueeze(x, 0), {height, 1, 1});
  const Tensor high = repeat(unsqueeze(y, 1), {1, width, 1});
  return repeat(unsqueeze(permute(cat({wide, high}, -1), {2, 0, 1}), 0), {batch, 1, 1, 1});
}

/// Names of earlier releases of transformers.
CheckpointRules checkpoint_rules() {
  return {.ignored = {"*.num_batches_tracked"},
          .optional_prefixes = {},
          .renames = {{".backbone.conv_encoder.model.", ".backbone.model."},
                      {".out_proj.", ".o_proj."},
                      {"layers.*.fc1.", "layers.*.mlp.fc1."},
                      {"layers.*.fc2.", "layers.*.mlp.fc2."}}};
}

/// @param mask shrunk to the cells of the result
Tensor encode_pixels(Builder& b, const Config& config, const Tensor& pixels, Tensor& mask) {
  const auto encoder = b.scope("backbone", "DetrConvEncoder");
  const std::vector<Tensor> features = backbone(b, config, pixels);
  // The original shrinks the mask for every map, though it only uses the last one.
  Tensor shrunk;
  for (const Tensor& map : features) shrunk = shrink_mask(b, mask, map);
  mask = shrunk;
  return features.back();
}

Tensor project(Builder& b, const Tensor& feature, std::int64_t width) {
  const auto scope = b.scope("input_projection", "Conv2d");
  const std::int64_t in = feature.size(1);
  const Tensor weight = b.parameter("weight", {width, in, 1, 1}, InitSpec::normal(0, 1.0 / static_cast<double>(in)));
  const Tensor bias = b.parameter("bias", {width}, InitSpec::constant(0));
  return conv2d(feature, weight, bias, {1, 1}, {0, 0});
}

/// @param mask [batch, rows, columns] of the feature map
/// @return [batch, cells, width]
Tensor cell_positions(Builder& b, const Config& config, const Detr& model, const Tensor& feature, const Tensor& mask,
                      DType dtype) {
  const std::int64_t half = model.transformer.width / 2;
  const auto scope = model.sine ? b.scope("position_embedding", "DetrSinePositionEmbedding")
                                : b.scope("position_embedding", "DetrLearnedPositionEmbedding");
  const Tensor positions = model.sine
                               ? detr_sine_positions(b, mask, half, dtype)
                               : learned_positions(b, config, feature.size(0), feature.size(2), feature.size(3), half);
  return transpose(flatten(positions, 2), 1, 2);
}

struct Transformed {
  Tensor memory;
  Tensor decoded;
};

Transformed transform(Builder& b, const Config& config, const Detr& model, ModelOptions options, const Tensor& pixels,
                      Tensor mask) {
  const auto detr = b.scope("model", "DetrModel");
  const std::int64_t batch = pixels.size(0);
  if (!mask) mask = b.call("aten.ones.default", {Shape{batch, pixels.size(2), pixels.size(3)}});
  const Tensor feature = project(b, encode_pixels(b, config, pixels, mask), model.transformer.width);
  const std::int64_t rows = feature.size(2);
  const std::int64_t columns = feature.size(3);
  const bool known = options.padding == Padding::kPadded && options.pixel_mask.data != nullptr;
  if (known && !hides_cells(options.pixel_mask, rows, columns)) options.padding = Padding::kFull;
  const Tensor cells = transpose(flatten(feature, 2), 1, 2);
  const Tensor positions = cell_positions(b, config, model, feature, mask, options.dtype);
  mask = flatten(mask, 1);
  Transformed result;
  {
    const auto encoder = b.scope("encoder", "DetrEncoder");
    const Tensor seen = bidirectional_mask(b, mask, batch, rows * columns, options.dtype, options);
    result.memory = detr_encoder_layers(b, model.transformer, model.encoder, cells, positions, seen);
  }
  const Tensor table = [&] {
    const auto scope = b.scope("query_position_embeddings", "Embedding");
    return b.parameter("weight", {model.queries, model.transformer.width}, InitSpec::normal(0, 1));
  }();
  const Tensor query_positions = b.call("aten.repeat.default", {unsqueeze(table, 0), Shape{batch, 1, 1}});
  const Tensor queries = b.call("aten.zeros_like.default", {query_positions});
  const auto decoder = b.scope("decoder", "DetrDecoder");
  const Tensor seen = bidirectional_mask(b, mask, batch, model.queries, options.dtype, options);
  result.decoded = detr_decoder_layers(b, model.transformer, model.decoder, queries, query_positions, result.memory,
                                       positions, seen);
  return result;
}

Graph build(const Config& config, const ModelOptions& given) {
  ModelOptions options = given;
  Detr model(config);
  model.transformer.attention = options.attention;
  const std::int64_t batch = options.batch;
  const std::int64_t height = options.height.value_or(800);
  const std::int64_t width = options.width.value_or(1088);
  if (height < 1 || width < 1) throw Error(ErrorKind::kUsage, "images of no size", "use a positive height and width");
  Builder b("detr", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = checkpoint_rules();

  const Tensor pixels =
      b.input("pixel_values", options.dtype, {batch, model.channels, height, width}, {InputKind::Content::kPixels, 0});
  Tensor mask;
  if (options.padding != Padding::kNone) {
    mask = b.input("pixel_mask", DType::kInt64, {batch, height, width}, {InputKind::Content::kMask, 0});
  }
  const auto [memory, decoded] = transform(b, config, model, options, pixels, mask);
  const Tensor logits = detr_linear(b, "class_labels_classifier", decoded, model.labels + 1);
  Tensor boxes;
  {
    const auto head = b.scope("bbox_predictor", "DetrMLPPredictionHead");
    boxes = detr_mlp_head(b, decoded, model.transformer.width, 4);
  }
  b.output("logits", logits);
  b.output("pred_boxes", b.call("aten.sigmoid.default", {boxes}));
  b.output("last_hidden_state", decoded);
  b.output("encoder_last_hidden_state", memory);
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "detr",
             .title = "DETR (ResNet-50)",
             .config = R"({"num_labels": 91})",
             .parameters = 41524768,
             .height = 800,
             .width = 1088},
};

}  // namespace

const Architecture& detr_architecture() {
  static const Architecture kArchitecture = {.model_type = "detr",
                                             .domain = Domain::kObjectDetection,
                                             .dataset = "COCO",
                                             .original = "DetrForObjectDetection",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
