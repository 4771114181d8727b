#include "models/vision/swin_backbone.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/vision/swin_windows.h"

namespace nongemm {
namespace {

using namespace fn;
using swin::Size2;

/// Of the norms that the original builds without the configuration's layer_norm_eps.
constexpr double kEpsilon = 1e-5;

struct SwinBackbone {
  Size2 patch;
  std::int64_t width, window;
  std::vector<std::int64_t> depths, heads;
  double mlp_ratio, epsilon, deviation;
  bool bias;
  std::string activation;
  std::vector<bool> asked;    // by stage
  HostTensor position_index;  // the same in every block

  explicit SwinBackbone(const Config& config)
      : patch(swin::side_lengths(config, "patch_size", {4, 4}, /*one_will_do=*/true)),
        width(config.positive("embed_dim", 96)),
        window(config.positive("window_size", 7)),
        depths(config.integers("depths", {2, 2, 6, 2})),
        heads(config.integers("num_heads", {3, 6, 12, 24})),
        mlp_ratio(config.number("mlp_ratio", 4.0)),
        epsilon(config.number("layer_norm_eps", 1e-5)),
        deviation(config.number("initializer_range", 0.02)),
        bias(config.flag("qkv_bias", true)),
        activation(config.text("hidden_act", "gelu")) {
    constexpr std::int64_t kMostBlocks = 1024;
    if (config.flag("use_absolute_embeddings", false)) {
      config.fail("use_absolute_embeddings", "is not supported: the original adds one position too many and fails");
    }
    constexpr std::size_t kMostStages = 8;
    constexpr std::int64_t kWidest = 1 << 16;
    if (width > kWidest) config.fail("embed_dim", "is above 65536");
    if (depths.empty() || depths.size() > kMostStages) config.fail("depths", "must name 1 to 8 stages");
    if (heads.size() < depths.size()) config.fail("num_heads", "has fewer entries than 'depths'");
    for (std::size_t i = 0; i < depths.size(); ++i) {
      if (depths[i] < 1 || depths[i] > kMostBlocks) config.fail("depths", "must be 1 to 1024 blocks per stage");
      swin::check_heads(config, heads[i], width << i);
    }
    if (window > kMostBlocks) config.fail("window_size", "is too large");
    swin::check_window(config, {window, window});
    position_index = swin::relative_position_index({window, window}, /*flat=*/false);
    if (!(mlp_ratio > 0 && mlp_ratio < 1e4) || inner(width) < 1) config.fail("mlp_ratio", "leaves no hidden channel");
    asked = asked_stages(config);
  }

  std::int64_t inner(std::int64_t channels) const {
    return static_cast<std::int64_t>(mlp_ratio * static_cast<double>(channels));
  }

 private:
  std::vector<bool> asked_stages(const Config& config) const {
    constexpr std::size_t kAlways = 4;  // for "swin", whatever its out_features say
    std::vector<bool> stages(depths.size(), false);
    if (config.text("model_type", "swin") == "swin") {
      if (depths.size() < kAlways) config.fail("depths", "has fewer than the four stages that MaskFormer takes");
      std::fill_n(stages.begin(), kAlways, true);
      return stages;
    }
    if (!config.has("out_features")) config.fail("out_features", "is missing");
    for (const std::string& name : config.texts("out_features")) {
      std::size_t stage = 0;
      while (stage < stages.size() && name != "stage" + std::to_string(stage + 1)) ++stage;
      if (stage == stages.size()) config.fail("out_features", "names no stage: '" + name + "'");
      stages[stage] = true;
    }
    return stages;
  }
};

/// The extent of a token grid.
struct Grid {
  std::int64_t height, width;
};

/// [n, height, width, c] -> [n * windows, side, side, c]
Tensor partition(const Tensor& x, std::int64_t side) {
  const Tensor tiles = view(x, {x.size(0), x.size(1) / side, side, x.size(2) / side, side, x.size(3)});
  return view(contiguous(transpose(tiles, 2, 3)), {-1, side, side, x.size(3)});
}

/// The reverse of partition.
Tensor assemble(const Tensor& windows, std::int64_t side, Grid grid) {
  const std::int64_t channels = windows.size(3);
  const Tensor tiles = view(windows, {-1, grid.height / side, grid.width / side, side, side, channels});
  return view(contiguous(transpose(tiles, 2, 3)), {-1, grid.height, grid.width, channels});
}

class SwinBackboneBuilder {
 public:
  SwinBackboneBuilder(const SwinBackbone& model, Builder& builder) : model_(model), b_(builder) {}

  std::vector<Tensor> features(const Tensor& image) {
    std::vector<Tensor> states;
    std::vector<Grid> grids;
    {
      const auto scope = b_.scope("model", "MaskFormerSwinModel");
      Grid grid{};
      Tensor x = embed(image, grid);
      {
        const auto encoder = b_.scope("encoder", "MaskFormerSwinEncoder");
        for (std::size_t stage = 0; stage < model_.depths.size(); ++stage) {
          const auto layer = b_.scope("layers." + std::to_string(stage), "MaskFormerSwinStage");
          for (std::int64_t i = 0; i < model_.depths[stage]; ++i) x = block(x, grid, model_.heads[stage], i);
          states.push_back(x);
          grids.push_back(grid);
          if (stage + 1 < model_.depths.size()) x = merge_patches(x, grid);
        }
      }
      // The original pools the last stage, though nothing uses it.
      x = transpose(nn::layer_norm(b_, "layernorm", x, model_.epsilon), 1, 2);
      {
        const auto pooler = b_.scope("pooler", "AdaptiveAvgPool1d");
        x = b_.call("aten.adaptive_avg_pool1d.default", {x, Shape{1}});
      }
      flatten(x, 1);
    }
    std::vector<Tensor> maps;
    for (std::size_t i = 0; i < states.size(); ++i) {
      const Tensor x =
          permute(nn::layer_norm(b_, "hidden_states_norms." + std::to_string(i), states[i], kEpsilon), {0, 2, 1});
      const Tensor map = contiguous(view(x, {x.size(0), x.size(1), grids[i].height, grids[i].width}));
      if (model_.asked[i]) maps.push_back(map);
    }
    return maps;
  }

 private:
  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out, bool bias = true) {
    return nn::linear(b_, name, x, out, InitSpec::normal(0, model_.deviation), bias);
  }

  Tensor embed(Tensor x, Grid& grid) {
    const auto scope = b_.scope("embeddings", "MaskFormerSwinEmbeddings");
    {
      const auto patches = b_.scope("patch_embeddings", "MaskFormerSwinPatchEmbeddings");
      const auto [rows, columns] = model_.patch;
      if (x.size(3) % columns != 0) x = b_.call("aten.pad.default", {x, Shape{0, columns - x.size(3) % columns}});
      if (x.size(2) % rows != 0) x = b_.call("aten.pad.default", {x, Shape{0, 0, 0, rows - x.size(2) % rows}});
      x = nn::conv2d(b_, "projection", x, model_.width, {.kernel = {rows, columns}, .stride = {rows, columns}});
      grid = {x.size(2), x.size(3)};
      x = transpose(flatten(x, 2), 1, 2);
    }
    return nn::layer_norm(b_, "norm", x, kEpsilon);
  }

  Tensor block(const Tensor& input, Grid grid, std::int64_t heads, std::int64_t index) {
    const auto scope = b_.scope("blocks." + std::to_string(index), "MaskFormerSwinLayer");
    const std::int64_t batch = input.size(0);
    const std::int64_t channels = input.size(2);
    const std::int64_t side = model_.window;
    // Unlike torchvision's, it shifts maps of one window, too.
    const std::int64_t shift = index % 2 == 0 ? 0 : side / 2;

    Tensor x = nn::layer_norm(b_, "layernorm_before", input, model_.epsilon);
    x = view(x, {batch, grid.height, grid.width, channels});
    x = b_.call("aten.pad.default",
                {x, Shape{0, 0, 0, (side - grid.width % side) % side, 0, (side - grid.height % side) % side}});
    const Grid padded = {x.size(1), x.size(2)};
    if (shift > 0) x = b_.call("aten.roll.default", {x, Shape{-shift, -shift}, Shape{1, 2}});
    x = view(partition(x, side), {-1, side * side, channels});
    const Tensor mask = shift > 0 ? shift_mask(padded, shift) : Tensor();
    {
      const auto attention = b_.scope("attention", "MaskFormerSwinAttention");
      x = attend(x, mask, heads);
      const auto output = b_.scope("output", "MaskFormerSwinSelfOutput");
      x = linear("dense", x, channels);
    }
    x = assemble(view(x, {-1, side, side, channels}), side, padded);
    if (shift > 0) x = b_.call("aten.roll.default", {x, Shape{shift, shift}, Shape{1, 2}});
    x = contiguous(index_slice(index_slice(x, 1, 0, grid.height), 2, 0, grid.width));
    x = add(input, view(x, {batch, grid.height * grid.width, channels}));
    return add(x, feed_forward(nn::layer_norm(b_, "layernorm_after", x, model_.epsilon)));
  }

  Tensor feed_forward(Tensor x) {
    const std::int64_t channels = x.size(2);
    {
      const auto scope = b_.scope("intermediate", "MaskFormerSwinIntermediate");
      x = activation(linear("dense", x, model_.inner(channels)), model_.activation, "intermediate_act_fn");
    }
    const auto scope = b_.scope("output", "MaskFormerSwinOutput");
    return linear("dense", x, channels);
  }

  /// [windows, n, n], as separate_regions gives it. The original builds it on the host, in float32, and moves it to
  /// the model's device; in half precision it would then fail, so here the move casts, too.
  Tensor shift_mask(Grid padded, std::int64_t shift) {
    const auto regions = [&](std::int64_t size, const Tensor& positions) {
      const Tensor last_window = b_.call("aten.ge.Scalar", {positions, size - model_.window});
      const Tensor as_number = to(last_window, DType::kInt64);
      const Tensor wrapped = b_.call("aten.ge.Scalar", {positions, size - shift});
      return add(as_number, to(wrapped, DType::kInt64));
    };
    const Tensor rows = b_.call("aten.arange.default", {padded.height}, {{"device", "cpu"}});
    const Tensor columns = b_.call("aten.arange.default", {padded.width}, {{"device", "cpu"}});
    Tensor row_regions = regions(padded.height, rows);
    Tensor column_regions = regions(padded.width, columns);
    row_regions = mul(unsqueeze(unsqueeze(unsqueeze(row_regions, 0), 2), 3), 3);
    column_regions = unsqueeze(unsqueeze(unsqueeze(column_regions, 0), 1), 3);
    const Tensor map = to(add(row_regions, column_regions), DType::kFloat32);
    const std::int64_t side = model_.window;
    const Tensor mask = swin::separate_regions(view(partition(map, side), {-1, side * side}));
    return b_.call("aten.to.dtype_layout", {mask}, {{"dtype", b_.dtype()}});
  }

  Tensor attend(const Tensor& x, const Tensor& mask, std::int64_t heads) {
    const auto scope = b_.scope("self", "MaskFormerSwinSelfAttention");
    const std::int64_t windows = x.size(0);
    const std::int64_t tokens = x.size(1);
    const std::int64_t channels = x.size(2);
    const std::int64_t head = channels / heads;
    const auto project = [&](const char* name) {
      return transpose(view(linear(name, x, channels, model_.bias), {windows, tokens, -1, head}), 1, 2);
    };
    const Tensor query = project("query");
    const Tensor key = project("key");
    const Tensor value = project("value");
    Tensor scores = div(matmul(query, transpose(key, -1, -2)), std::sqrt(static_cast<double>(head)));
    const Size2 window = {model_.window, model_.window};
    const Tensor index = b_.constant(model_.position_index, "relative_position_index");
    scores = add(scores, swin::position_bias(b_, view(index, {-1}), window, heads));
    if (mask) scores = swin::add_shift_mask(scores, mask);
    const Tensor context = permute(matmul(softmax(scores, -1), value), {0, 2, 1, 3});
    return view(contiguous(context), {windows, tokens, channels});
  }

  /// Halves height and width: four neighbours become one token of twice the channels.
  Tensor merge_patches(Tensor x, Grid& grid) {
    const auto scope = b_.scope("downsample", "MaskFormerSwinPatchMerging");
    const std::int64_t channels = x.size(2);
    x = view(x, {x.size(0), grid.height, grid.width, channels});
    if (grid.height % 2 == 1 || grid.width % 2 == 1) {
      x = b_.call("aten.pad.default", {x, Shape{0, 0, 0, grid.width % 2, 0, grid.height % 2}});
    }
    grid = {(grid.height + 1) / 2, (grid.width + 1) / 2};
    x = view(swin::join_neighbours(x), {x.size(0), -1, 4 * channels});
    return linear("reduction", nn::layer_norm(b_, "norm", x, kEpsilon), 2 * channels, /*bias=*/false);
  }

  const SwinBackbone& model_;
  Builder& b_;
};

}  // namespace

std::vector<Tensor> maskformer_swin_features(Builder& builder, const Config& config, const Tensor& image) {
  const SwinBackbone model(config);
  return SwinBackboneBuilder(model, builder).features(image);
}

}  // namespace nongemm
