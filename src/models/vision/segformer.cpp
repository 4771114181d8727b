// SegFormer with its decode head: transformers SegformerForSemanticSegmentation.
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/attention.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/resnet.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

using namespace fn;

/// The original builds its norms without the configuration's layer_norm_eps.
constexpr double kEpsilon = 1e-5;

struct Stage {
  std::int64_t depth, reduction, width, patch, stride, heads, inner;
};

struct Segformer {
  std::vector<Stage> stages;
  std::int64_t channels, decoder_width, labels;
  std::string activation;
  double deviation;
  bool reshape_last;

  explicit Segformer(const Config& config)
      : channels(config.positive("num_channels", 3)),
        decoder_width(config.positive("decoder_hidden_size", 256)),
        labels(config.labels()),
        activation(config.text("hidden_act", "gelu")),
        deviation(config.number("initializer_range", 0.02)),
        reshape_last(config.flag("reshape_last_stage", true)) {
    constexpr std::int64_t kMostStages = 16;
    constexpr std::int64_t kMostBlocks = 1024;
    const std::int64_t count = config.bounded("num_encoder_blocks", 4, kMostStages);
    const auto per_stage = [&](std::string_view key, std::vector<std::int64_t> otherwise, std::int64_t least) {
      std::vector<std::int64_t> values = config.integers(key, std::move(otherwise));
      if (static_cast<std::int64_t>(values.size()) < count) {
        config.fail(key, "has fewer entries than there are encoder blocks (" + std::to_string(count) + ")");
      }
      for (std::int64_t value : values) {
        if (value < least || value > (1 << 20)) config.fail(key, "holds " + std::to_string(value));
      }
      return values;
    };
    const auto depths = per_stage("depths", {2, 2, 2, 2}, 0);
    const auto reductions = per_stage("sr_ratios", {8, 4, 2, 1}, 1);
    const auto widths = per_stage("hidden_sizes", {32, 64, 160, 256}, 1);
    const auto patches = per_stage("patch_sizes", {7, 3, 3, 3}, 1);
    const auto strides = per_stage("strides", {4, 2, 2, 2}, 1);
    const auto heads = per_stage("num_attention_heads", {1, 2, 5, 8}, 1);
    const auto ratios = per_stage("mlp_ratios", {4, 4, 4, 4}, 1);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      if (depths[i] > kMostBlocks) config.fail("depths", "holds more than 1024 blocks");
      if (heads[i] > widths[i]) config.fail("num_attention_heads", "has more heads than 'hidden_sizes' has channels");
      stages.push_back({depths[i], reductions[i], widths[i], patches[i], strides[i], heads[i], widths[i] * ratios[i]});
    }
  }
};

/// Height and width of a stage's feature map, whose tokens are rows of [batch, height * width, channels].
struct Map {
  std::int64_t height, width;
};

class SegformerBuilder {
 public:
  SegformerBuilder(const Segformer& model, Builder& builder, Attention attention)
      : model_(model), b_(builder), attention_(attention) {}

  /// A feature map [batch, channels, height, width] per stage.
  std::vector<Tensor> encode(Tensor x) {
    const auto scope = b_.scope("segformer", "SegformerModel");
    std::vector<Tensor> maps;
    for (std::size_t i = 0; i < model_.stages.size(); ++i) {
      const auto stage = b_.scope("stages." + std::to_string(i), "SegformerStage");
      x = run_stage(model_.stages[i], x, model_.reshape_last || i + 1 < model_.stages.size());
      maps.push_back(x);
    }
    return maps;
  }

  Tensor decode(const std::vector<Tensor>& maps) {
    const auto scope = b_.scope("decode_head", "SegformerDecodeHead");
    std::vector<Tensor> levels;  // the last stage first
    for (std::size_t i = 0; i < maps.size(); ++i) {
      const Tensor map = maps[i].rank() == 3 ? square_map(maps[i]) : maps[i];
      const Map size = {map.size(2), map.size(3)};
      const Tensor level = to_map(unify(i, map), size);
      levels.insert(levels.begin(), b_.call("aten.upsample_bilinear2d.vec",
                                            {level, Shape{maps[0].size(2), maps[0].size(3)}, false, kNone}));
    }
    Tensor x = nn::conv2d(b_, "linear_fuse", cat(levels, 1), model_.decoder_width, {.kernel = {1, 1}, .bias = false});
    x = batch_norm_2d(b_, "batch_norm", x);
    {
      const auto activation = b_.scope("activation", "ReLU");
      x = relu(x);
    }
    return nn::conv2d(b_, "classifier", x, model_.labels, {.kernel = {1, 1}});
  }

 private:
  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out) {
    return nn::linear(b_, name, x, out, InitSpec::normal(0, model_.deviation));
  }

  static Tensor to_map(const Tensor& tokens, Map map) {
    return reshape(transpose(tokens, 1, 2), {tokens.size(0), -1, map.height, map.width});
  }

  Tensor run_stage(const Stage& stage, Tensor x, bool as_map) {
    Map map{};
    {
      const auto scope = b_.scope("patch_embeddings", "SegformerOverlapPatchEmbeddings");
      const std::int64_t padding = stage.patch / 2;
      x = nn::conv2d(b_, "proj", x, stage.width,
                     {.kernel = {stage.patch, stage.patch},
                      .stride = {stage.stride, stage.stride},
                      .padding = {padding, padding}});
      map = {x.size(2), x.size(3)};
      x = nn::layer_norm(b_, "layer_norm", transpose(flatten(x, 2), 1, 2), kEpsilon);
    }
    for (std::int64_t i = 0; i < stage.depth; ++i) {
      const auto scope = b_.scope("blocks." + std::to_string(i), "SegformerLayer");
      x = add(attend(stage, nn::layer_norm(b_, "layernorm_before", x, kEpsilon), map), x);
      x = add(mix(stage, nn::layer_norm(b_, "layernorm_after", x, kEpsilon), map), x);
    }
    x = nn::layer_norm(b_, "layer_norm", x, kEpsilon);
    if (!as_map) return x;
    return contiguous(permute(reshape(x, {x.size(0), map.height, map.width, -1}), {0, 3, 1, 2}));
  }

  /// Attention of all tokens to a map that a strided convolution made smaller.
  Tensor attend(const Stage& stage, const Tensor& x, Map map) {
    const auto scope = b_.scope("attention", "SegformerAttention");
    const std::int64_t head = stage.width / stage.heads;
    const auto project = [&](const char* name, const Tensor& from) {
      return split_heads(linear(name, from, stage.heads * head), head);
    };
    const Tensor query = project("q_proj", x);
    const Tensor source = stage.reduction > 1 ? reduce(stage, x, map) : x;
    const Tensor key = project("k_proj", source);
    const Tensor value = project("v_proj", source);
    const double scaling = std::pow(static_cast<double>(head), -0.5);
    const Tensor out = attention(query, key, value, {}, scaling, attention_, {.fp32_softmax = true});
    return linear("o_proj", contiguous(reshape(out, {x.size(0), x.size(1), -1})), stage.width);
  }

  Tensor reduce(const Stage& stage, const Tensor& x, Map map) {
    const auto scope = b_.scope("sequence_reduction", "SegformerSequenceReduction");
    const Shape side = {stage.reduction, stage.reduction};
    const Tensor y =
        nn::conv2d(b_, "sequence_reduction", to_map(x, map), stage.width, {.kernel = side, .stride = side});
    return nn::layer_norm(b_, "layer_norm", transpose(reshape(y, {y.size(0), stage.width, -1}), 1, 2), kEpsilon);
  }

  /// A perceptron with a convolution inside, which tells tokens where they are.
  Tensor mix(const Stage& stage, const Tensor& x, Map map) {
    const auto scope = b_.scope("mlp", "SegformerMixMLP");
    Tensor y = linear("fc1", x, stage.inner);
    {
      const auto convolution = b_.scope("dwconv", "SegformerDepthWiseConv");
      y = view(transpose(y, 1, 2), {y.size(0), stage.inner, map.height, map.width});
      y = nn::conv2d(b_, "dwconv", y, stage.inner, {.kernel = {3, 3}, .padding = {1, 1}, .groups = stage.inner});
      y = transpose(flatten(y, 2), 1, 2);
    }
    return linear("fc2", activation(y, model_.activation, "activation_fn"), stage.width);
  }

  Tensor unify(std::size_t level, const Tensor& map) {
    const auto scope = b_.scope("linear_projections." + std::to_string(level), "SegformerMLP");
    return linear("proj", transpose(flatten(map, 2), 1, 2), model_.decoder_width);
  }

  /// What the original does with a last stage left as tokens: it takes the root of the number of channels for the
  /// side of the map, which fits square maps with as many cells as channels.
  static Tensor square_map(const Tensor& tokens) {
    const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(tokens.size(2))));
    if (side * side != tokens.size(1)) {
      throw Error(ErrorKind::kBadInput, "'reshape_last_stage' false fits only inputs whose last stage has " +
                                            std::to_string(side * side) + " cells, this one has " +
                                            std::to_string(tokens.size(1)));
    }
    return contiguous(permute(reshape(tokens, {tokens.size(0), side, side, -1}), {0, 3, 1, 2}));
  }

  const Segformer& model_;
  Builder& b_;
  Attention attention_;
};

Graph build(const Config& config, const ModelOptions& options) {
  const Segformer model(config);
  constexpr std::int64_t kPixels = 512;
  Builder b("segformer", options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {
      .ignored = {"*.num_batches_tracked"},
      .optional_prefixes = {},
      .renames = {{"decode_head.linear_c.", "decode_head.linear_projections."},
                  {".encoder.patch_embeddings.*.", ".stages.*.patch_embeddings."},
                  {".encoder.block.*.", ".stages.*.blocks."},
                  {".encoder.layer_norm.*.", ".stages.*.layer_norm."},
                  {".attention.self.query.", ".attention.q_proj."},
                  {".attention.self.key.", ".attention.k_proj."},
                  {".attention.self.value.", ".attention.v_proj."},
                  {".attention.self.sr.", ".attention.sequence_reduction.sequence_reduction."},
                  {".attention.self.layer_norm.", ".attention.sequence_reduction.layer_norm."},
                  {".attention.output.dense.", ".attention.o_proj."},
                  {".mlp.dense1.", ".mlp.fc1."},
                  {".mlp.dense2.", ".mlp.fc2."},
                  {".layer_norm_1.", ".layernorm_before."},
                  {".layer_norm_2.", ".layernorm_after."}}};
  const auto top = b.scope("", "SegformerForSemanticSegmentation");
  const Tensor image =
      b.input("pixel_values", options.dtype,
              {options.batch, model.channels, options.height.value_or(kPixels), options.width.value_or(kPixels)},
              {InputKind::Content::kPixels, 0});
  SegformerBuilder segformer(model, b, options.attention);
  b.output("logits", segformer.decode(segformer.encode(image)));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "segformer",
             .title = "SegFormer-B0",
             .config = R"({"num_labels": 150})",
             .parameters = 3752694,
             .height = 512,
             .width = 512},
    ModelRow{.name = "segformer-b1",
             .title = "SegFormer-B1",
             .config = R"({"num_labels": 150, "hidden_sizes": [64, 128, 320, 512]})",
             .parameters = 13715798,
             .height = 512,
             .width = 512},
    ModelRow{.name = "segformer-b2",
             .title = "SegFormer-B2",
             .config = R"({"num_labels": 150, "hidden_sizes": [64, 128, 320, 512], "depths": [3, 4, 6, 3],
                           "decoder_hidden_size": 768})",
             .parameters = 27461974,
             .height = 512,
             .width = 512},
    ModelRow{.name = "segformer-b3",
             .title = "SegFormer-B3",
             .config = R"({"num_labels": 150, "hidden_sizes": [64, 128, 320, 512], "depths": [3, 4, 18, 3],
                           "decoder_hidden_size": 768})",
             .parameters = 47337814,
             .height = 512,
             .width = 512},
    ModelRow{.name = "segformer-b4",
             .title = "SegFormer-B4",
             .config = R"({"num_labels": 150, "hidden_sizes": [64, 128, 320, 512], "depths": [3, 8, 27, 3],
                           "decoder_hidden_size": 768})",
             .parameters = 64108374,
             .height = 512,
             .width = 512},
    ModelRow{.name = "segformer-b5",
             .title = "SegFormer-B5",
             .config = R"({"num_labels": 150, "hidden_sizes": [64, 128, 320, 512], "depths": [3, 6, 40, 3],
                           "decoder_hidden_size": 768})",
             .parameters = 84708694,
             .height = 512,
             .width = 512},
};

}  // namespace

const Architecture& segformer_architecture() {
  static const Architecture kArchitecture = {.model_type = "segformer",
                                             .domain = Domain::kImageSegmentation,
                                             .dataset = "COCO",
                                             .original = "SegformerForSemanticSegmentation",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
