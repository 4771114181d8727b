// Swin Transformer v1: torchvision SwinTransformer.
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"
#include "models/architectures.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/swin_windows.h"
#include "ops/builder.h"

namespace nongemm {
namespace {

using namespace fn;
using swin::Size2;

constexpr double kEpsilon = 1e-5;

Size2 required_sides(const Config& config, std::string_view key) {
  if (!config.has(key)) config.fail(key, "is missing");
  return swin::side_lengths(config, key, {}, /*one_will_do=*/false);
}

struct Swin {
  Size2 patch, window;
  std::int64_t width, classes;
  std::vector<std::int64_t> depths, heads;
  double mlp_ratio;
  HostTensor position_index;  // the same in every block

  explicit Swin(const Config& config)
      : patch(required_sides(config, "patch_size")),
        window(required_sides(config, "window_size")),
        width(config.positive("embed_dim")),
        classes(config.positive("num_classes", 1000)),
        depths(config.integers("depths")),
        heads(config.integers("num_heads")),
        mlp_ratio(config.number("mlp_ratio", 4.0)) {
    constexpr std::int64_t kMostBlocks = 1024;
    constexpr std::size_t kMostStages = 8;
    constexpr std::int64_t kWidest = 1 << 16;
    swin::check_window(config, window);
    position_index = swin::relative_position_index(window, /*flat=*/true);
    if (width > kWidest) config.fail("embed_dim", "is above 65536");
    if (depths.empty() || depths.size() > kMostStages) config.fail("depths", "must name 1 to 8 stages");
    if (depths.size() != heads.size()) config.fail("num_heads", "and 'depths' differ in length");
    for (std::int64_t depth : depths) {
      if (depth < 0 || depth > kMostBlocks) config.fail("depths", "must be 0 to 1024 blocks per stage");
    }
    for (std::size_t i = 0; i < heads.size(); ++i) swin::check_heads(config, heads[i], width << i);
    if (!(mlp_ratio > 0 && mlp_ratio < 1e4)) config.fail("mlp_ratio", "must be above 0");
    if (static_cast<std::int64_t>(static_cast<double>(width) * mlp_ratio) < 1) {
      config.fail("mlp_ratio", "leaves no hidden channel");
    }
  }
};

/// [windows, n, n]: -100 between tokens that only the shift made neighbours.
Tensor shift_mask(Builder& b, const Swin& model, const Tensor& tokens, Size2 padded, Size2 shift) {
  const auto [rows, columns] = model.window;
  Tensor map = b.call("aten.new_zeros.default", {tokens, Shape{padded[0], padded[1]}});
  swin::number_regions(map, model.window, shift);
  map = view(map, {padded[0] / rows, rows, padded[1] / columns, columns});
  map = reshape(permute(map, {0, 2, 1, 3}), {padded[0] / rows * (padded[1] / columns), rows * columns});
  return swin::separate_regions(map);
}

/// Attention of each token to those of its window. x and the result: [batch, height, width, channels].
Tensor window_attention(Builder& b, const Swin& model, Tensor x, std::int64_t heads, bool shifted) {
  const auto scope = b.scope("attn", "ShiftedWindowAttention");
  const Tensor index = b.constant(model.position_index, "relative_position_index");
  const Tensor bias = swin::position_bias(b, index, model.window, heads);
  const auto [rows, columns] = model.window;
  const std::int64_t batch = x.size(0);
  const std::int64_t height = x.size(1);
  const std::int64_t width = x.size(2);
  const std::int64_t channels = x.size(3);
  const std::int64_t tokens = rows * columns;

  x = b.call("aten.pad.default",
             {x, Shape{0, 0, 0, (columns - width % columns) % columns, 0, (rows - height % rows) % rows}});
  const Size2 padded = {x.size(1), x.size(2)};
  // A map of one window has nothing to shift.
  const Size2 shift = {shifted && rows < padded[0] ? rows / 2 : 0, shifted && columns < padded[1] ? columns / 2 : 0};
  const bool moves = shift[0] + shift[1] > 0;
  if (moves) x = b.call("aten.roll.default", {x, Shape{-shift[0], -shift[1]}, Shape{1, 2}});

  const std::int64_t windows = padded[0] / rows * (padded[1] / columns);
  x = view(x, {batch, padded[0] / rows, rows, padded[1] / columns, columns, channels});
  x = reshape(permute(x, {0, 1, 3, 2, 4, 5}), {batch * windows, tokens, channels});

  const InitSpec init = InitSpec::normal(0, 0.02);
  Tensor qkv = linear(x, b.parameter("qkv.weight", {3 * channels, channels}, init),
                      b.parameter("qkv.bias", {3 * channels}, InitSpec::constant(0)));
  const std::int64_t head_size = channels / heads;
  qkv = permute(reshape(qkv, {x.size(0), tokens, 3, heads, head_size}), {2, 0, 3, 1, 4});
  Tensor query = select(qkv, 0, 0);
  const Tensor key = select(qkv, 0, 1);
  const Tensor value = select(qkv, 0, 2);
  query = mul(query, std::pow(static_cast<double>(head_size), -0.5));
  Tensor scores = add(matmul(query, transpose(key, -2, -1)), bias);
  if (moves) scores = swin::add_shift_mask(scores, shift_mask(b, model, x, padded, shift));
  x = reshape(transpose(matmul(softmax(scores, -1), value), 1, 2), {batch * windows, tokens, channels});
  x = linear(x, b.parameter("proj.weight", {channels, channels}, init),
             b.parameter("proj.bias", {channels}, InitSpec::constant(0)));

  x = view(x, {batch, padded[0] / rows, padded[1] / columns, rows, columns, channels});
  x = reshape(permute(x, {0, 1, 3, 2, 4, 5}), {batch, padded[0], padded[1], channels});
  if (moves) x = b.call("aten.roll.default", {x, Shape{shift[0], shift[1]}, Shape{1, 2}});
  return contiguous(index_slice(index_slice(x, 1, 0, height), 2, 0, width));
}

Tensor block(Builder& b, const Swin& model, std::int64_t index, Tensor x, std::int64_t heads) {
  const auto scope = b.scope(std::to_string(index), "SwinTransformerBlock");
  x = add(x, window_attention(b, model, nn::layer_norm(b, "norm1", x, kEpsilon), heads, index % 2 == 1));
  const std::int64_t channels = x.size(-1);
  const auto inner = static_cast<std::int64_t>(static_cast<double>(channels) * model.mlp_ratio);
  Tensor y = nn::layer_norm(b, "norm2", x, kEpsilon);
  {
    const auto mlp = b.scope("mlp", "MLP");
    y = nn::linear(b, "0", y, inner, nn::xavier_uniform(channels, inner));
    {
      const auto activation = b.scope("1", "GELU");
      y = gelu(y);
    }
    y = nn::linear(b, "3", y, channels, nn::xavier_uniform(inner, channels));
  }
  return add(x, y);
}

/// Halves height and width: four neighbours become one token of twice the channels.
Tensor merge_patches(Builder& b, const std::string& name, Tensor x) {
  const auto scope = b.scope(name, "PatchMerging");
  x = b.call("aten.pad.default", {x, Shape{0, 0, 0, x.size(2) % 2, 0, x.size(1) % 2}});
  const std::int64_t channels = x.size(-1);
  x = nn::layer_norm(b, "norm", swin::join_neighbours(x), kEpsilon);
  return nn::linear(b, "reduction", x, 2 * channels, InitSpec::normal(0, 0.02), /*bias=*/false);
}

Graph build(const Config& config, const ModelOptions& options) {
  const Swin model(config);
  if (options.attention == Attention::kSdpa) {
    throw Error(ErrorKind::kUsage, config.origin() + ": attention 'sdpa' does not exist for torchvision's Swin",
                "leave the option out: the original always multiplies, adds its position bias and applies softmax");
  }
  constexpr std::int64_t kPixels = 224;
  const std::int64_t height = options.height.value_or(kPixels);
  const std::int64_t width = options.width.value_or(kPixels);
  if (height < model.patch[0] || width < model.patch[1]) {
    throw Error(ErrorKind::kUsage,
                config.origin() + ": an image of " + std::to_string(height) + " x " + std::to_string(width) + " pixels",
                "it must hold one patch of " + std::to_string(model.patch[0]) + " x " + std::to_string(model.patch[1]));
  }
  Builder b("swin", options.dtype);
  b.graph().attributes["attention"] = "eager";

  const auto top = b.scope("", "SwinTransformer");
  Tensor x = b.input("0", options.dtype, {options.batch, 3, height, width}, {InputKind::Content::kPixels, 0});
  {
    const auto features = b.scope("features", "Sequential");
    {
      const auto embedding = b.scope("0", "Sequential");
      const Shape patch(model.patch.begin(), model.patch.end());
      x = nn::conv2d(b, "0", x, model.width, {.kernel = patch, .stride = patch});
      {
        const auto layout = b.scope("1", "Permute");
        x = permute(x, {0, 2, 3, 1});
      }
      x = nn::layer_norm(b, "2", x, kEpsilon);
    }
    for (std::size_t stage = 0; stage < model.depths.size(); ++stage) {
      if (stage > 0) x = merge_patches(b, std::to_string(2 * stage), x);
      const auto blocks = b.scope(std::to_string(2 * stage + 1), "Sequential");
      for (std::int64_t i = 0; i < model.depths[stage]; ++i) x = block(b, model, i, x, model.heads[stage]);
    }
  }
  x = nn::layer_norm(b, "norm", x, kEpsilon);
  {
    const auto layout = b.scope("permute", "Permute");
    x = permute(x, {0, 3, 1, 2});
  }
  {
    const auto pool = b.scope("avgpool", "AdaptiveAvgPool2d");
    x = b.call("aten.adaptive_avg_pool2d.default", {x, Shape{1, 1}});
  }
  {
    const auto layout = b.scope("flatten", "Flatten");
    x = flatten(x, 1);
  }
  b.output("output", nn::linear(b, "head", x, model.classes));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "swin-t",
             .title = "Swin-T",
             .config = R"({"patch_size": [4, 4], "embed_dim": 96, "depths": [2, 2, 6, 2], "num_heads": [3, 6, 12, 24],
                           "window_size": [7, 7]})",
             .parameters = 28288354,
             .height = 224,
             .width = 224},
    ModelRow{.name = "swin-s",
             .title = "Swin-S",
             .config = R"({"patch_size": [4, 4], "embed_dim": 96, "depths": [2, 2, 18, 2], "num_heads": [3, 6, 12, 24],
                           "window_size": [7, 7]})",
             .parameters = 49606258,
             .height = 224,
             .width = 224},
    ModelRow{.name = "swin-b",
             .title = "Swin-B",
             .config = R"({"patch_size": [4, 4], "embed_dim": 128, "depths": [2, 2, 18, 2],
                           "num_heads": [4, 8, 16, 32], "window_size": [7, 7]})",
             .parameters = 87768224,
             .height = 224,
             .width = 224},
};

}  // namespace

const Architecture& swin_architecture() {
  static const Architecture kArchitecture = {.model_type = "torchvision.swin_transformer",
                                             .domain = Domain::kImageClassification,
                                             .dataset = "ImageNet",
                                             .build = build,
                                             .models = kModels};
  return kArchitecture;
}

}  // namespace nongemm
