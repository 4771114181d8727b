// The denoiser of Stable Diffusion: diffusers UNet2DConditionModel.
#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "models/architectures.h"
#include "models/diffusion/layers.h"
#include "models/diffusion/unet_blocks.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"
#include "models/parts/named_inputs.h"

namespace nongemm {
namespace diffusion {
namespace {

using namespace fn;

/// A number for all levels, or a list of one for each.
std::vector<std::int64_t> per_level(const Config& config, std::string_view key, std::int64_t otherwise,
                                    std::size_t levels, std::int64_t most) {
  std::vector<std::int64_t> values = config.integers(key, {otherwise});
  if (values.size() == 1) values.resize(levels, values[0]);
  if (values.size() != levels) config.fail(key, "has not as many entries as block_out_channels");
  for (const std::int64_t value : values) {
    if (value < 1 || value > most) config.fail(key, "holds " + std::to_string(value));
  }
  return values;
}

/// Whether each block has transformers, by its class.
std::vector<bool> attends(const Config& config, std::string_view key, std::string_view plain,
                          std::string_view attending, std::vector<std::string> otherwise, std::size_t levels) {
  const std::vector<std::string> names = config.has(key) ? config.texts(key) : std::move(otherwise);
  if (names.size() != levels) config.fail(key, "has not as many entries as block_out_channels");
  std::vector<bool> result;
  for (const std::string& name : names) {
    if (name != plain && name != attending) {
      config.fail(key, "names '" + name + "'; built in are " + std::string(plain) + " and " + std::string(attending));
    }
    result.push_back(name == attending);
  }
  return result;
}

/// Keys that, where they are set, make another network.
void refuse_what_is_not_built(const Config& config) {
  for (const char* key : {"class_embed_type", "num_class_embeds", "encoder_hid_dim", "encoder_hid_dim_type",
                          "num_attention_heads", "reverse_transformer_layers_per_block", "time_cond_proj_dim"}) {
    if (config.has(key)) config.fail(key, "is not supported; leave it out");
  }
  for (const char* key : {"dual_cross_attention", "class_embeddings_concat"}) {
    if (config.flag(key, false)) config.fail(key, "is not supported");
  }
  const auto only = [&](const char* key, std::string_view value) {
    if (config.text(key, value) != value)
      config.fail(key, "is not '" + std::string(value) + "', which alone is built in");
  };
  only("attention_type", "default");
  only("time_embedding_type", "positional");
}

}  // namespace

UNet::UNet(const Config& config)
    : in_channels(config.positive("in_channels", 4)),
      out_channels(config.positive("out_channels", 4)),
      groups(config.positive("norm_num_groups", 32)),
      in_kernel(config.bounded("conv_in_kernel", 3, 64)),
      out_kernel(config.bounded("conv_out_kernel", 3, 64)),
      down_padding(config.bounded("downsample_padding", 1, 64)),
      epsilon(config.number("norm_eps", 1e-5)),
      middle_scale(config.number("mid_block_scale_factor", 1)),
      activation(config.text("act_fn", "silu")),
      time_activation(config.text("time_embedding_act_fn", "")),
      time_post_activation(config.text("timestep_post_act", "")),
      linear_projection(config.flag("use_linear_projection", false)),
      only_cross_attention(config.flag("only_cross_attention", false)),
      center_input(config.flag("center_input_sample", false)),
      cosine_first(config.flag("flip_sin_to_cos", true)),
      frequency_shift(config.number("freq_shift", 0)) {
  refuse_what_is_not_built(config);
  const std::vector<std::int64_t> channels = config.integers("block_out_channels", {320, 640, 1280, 1280});
  const std::size_t count = channels.size();
  constexpr std::size_t kMostLevels = 16;
  if (count == 0 || count > kMostLevels) config.fail("block_out_channels", "has not 1 to 16 entries");
  const auto layers = per_level(config, "layers_per_block", 2, count, 1024);
  const auto heads =
      per_level(config, "attention_head_dim", 8, count, 1 << 16);  // the heads' number, whatever its name
  const auto transformers = per_level(config, "transformer_layers_per_block", 1, count, kMostLayers);
  const auto text = per_level(config, "cross_attention_dim", 1280, count, 1 << 20);
  down_attends =
      attends(config, "down_block_types", "DownBlock2D", "CrossAttnDownBlock2D",
              {"CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"}, count);
  up_attends = attends(config, "up_block_types", "UpBlock2D", "CrossAttnUpBlock2D",
                       {"UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"}, count);
  const std::string middle = config.text("mid_block_type", "UNetMidBlock2DCrossAttn");
  has_middle = !config.is_null("mid_block_type");
  middle_attends = middle == "UNetMidBlock2DCrossAttn";
  if (!middle_attends && middle != "UNetMidBlock2D") config.fail("mid_block_type", "is not built in");
  for (std::size_t i = 0; i < count; ++i) {
    if (channels[i] < 1 || channels[i] > 1 << 20) config.fail("block_out_channels", "holds a size that cannot be");
    if (channels[i] % groups != 0) config.fail("norm_num_groups", "does not divide block_out_channels");
    const bool split = down_attends[i] || up_attends[count - 1 - i] || (i + 1 == count && has_middle && middle_attends);
    if (split && channels[i] % heads[i] != 0) config.fail("attention_head_dim", "does not divide block_out_channels");
    if (text[i] != text[0]) config.fail("cross_attention_dim", "differs between levels, which take the same text");
    levels.push_back({channels[i], layers[i], heads[i], transformers[i], text[i]});
  }
  time_width = config.positive("time_embedding_dim", 4 * channels[0]);
  const std::string shift = config.text("resnet_time_scale_shift", "default");
  scale_shift = shift == "scale_shift";
  if (!scale_shift && shift != "default") config.fail("resnet_time_scale_shift", "is not built in");
  const std::string added = config.text("addition_embed_type", "");
  if (!added.empty() && added != "text_time") config.fail("addition_embed_type", "is not built in");
  if (added.empty()) return;
  added_number_width = config.positive("addition_time_embed_dim");
  added_width = config.positive("projection_class_embeddings_input_dim");
}

namespace {

constexpr std::int64_t kAddedNumbers = 6;  // SDXL's original size, crop and target size

class UNetBuilder {
 public:
  /// @param forced_size maps are resized on their way up to the size that they had on their way down
  UNetBuilder(Builder& b, const UNet& model, const UNetConditions& conditions, bool forced_size)
      : b_(b), model_(model), conditions_(conditions), forced_size_(forced_size) {}

  Tensor run(Tensor x) {
    std::vector<Tensor> skipped = {x};
    for (std::size_t i = 0; i < model_.levels.size(); ++i) x = down(i, x, skipped);
    if (model_.has_middle) x = middle(x);
    for (std::size_t i = 0; i < model_.levels.size(); ++i) x = up(i, x, skipped);
    return x;
  }

 private:
  /// Residual block and transformer number `i` of a block.
  Tensor layer(std::int64_t i, const UNetLevel& level, bool attends, const Tensor& x) {
    const Tensor y = residual_block(b_, model_, "resnets." + std::to_string(i), x, level.channels, conditions_);
    if (!attends) return y;
    return map_transformer(b_, model_, "attentions." + std::to_string(i), level, y, conditions_,
                           model_.only_cross_attention);
  }

  Tensor down(std::size_t index, Tensor x, std::vector<Tensor>& skipped) {
    const bool attends = model_.down_attends[index];
    const auto scope =
        b_.scope("down_blocks." + std::to_string(index), attends ? "CrossAttnDownBlock2D" : "DownBlock2D");
    const UNetLevel& level = model_.levels[index];
    for (std::int64_t i = 0; i < level.layers; ++i) {
      x = layer(i, level, attends, x);
      skipped.push_back(x);
    }
    if (index + 1 == model_.levels.size()) return x;
    const auto sampler = b_.scope("downsamplers.0", "Downsample2D");
    const Shape padding = {model_.down_padding, model_.down_padding};
    x = nn::conv2d(b_, "conv", x, level.channels, {.kernel = {3, 3}, .stride = {2, 2}, .padding = padding});
    skipped.push_back(x);
    return x;
  }

  Tensor middle(Tensor x) {
    const auto scope = b_.scope("mid_block", model_.middle_attends ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D");
    const UNetLevel& level = model_.levels.back();
    x = residual_block(b_, model_, "resnets.0", x, level.channels, conditions_, model_.middle_scale);
    if (!model_.middle_attends) return x;
    x = map_transformer(b_, model_, "attentions.0", level, x, conditions_, /*only_cross=*/false);
    return residual_block(b_, model_, "resnets.1", x, level.channels, conditions_, model_.middle_scale);
  }

  Tensor up(std::size_t index, Tensor x, std::vector<Tensor>& skipped) {
    const bool attends = model_.up_attends[index];
    const auto scope = b_.scope("up_blocks." + std::to_string(index), attends ? "CrossAttnUpBlock2D" : "UpBlock2D");
    const UNetLevel& level = model_.levels[model_.levels.size() - 1 - index];
    for (std::int64_t i = 0; i <= level.layers; ++i) {
      const Tensor joined = cat({x, skipped.back()}, 1);
      skipped.pop_back();
      x = layer(i, level, attends, joined);
    }
    return index + 1 == model_.levels.size() ? x : upsample(x, skipped.back());
  }

  /// To twice the size, or to that of `skipped`.
  Tensor upsample(const Tensor& x, const Tensor& skipped) {
    const auto sampler = b_.scope("upsamplers.0", "Upsample2D");
    const Shape size = {skipped.size(2), skipped.size(3)};
    const Tensor larger = forced_size_ ? b_.call("aten.upsample_nearest2d.vec", {x, size, kNone})
                                       : b_.call("aten.upsample_nearest2d.vec", {x, kNone, std::vector<double>{2, 2}});
    return nn::conv2d(b_, "conv", larger, x.size(1), {.kernel = {3, 3}, .padding = {1, 1}});
  }

  Builder& b_;
  const UNet& model_;
  UNetConditions conditions_;
  bool forced_size_;
};

/// The time as the blocks take it, with SDXL's further conditions. [batch, time width]
Tensor time_of(Builder& b, const UNet& model, const Tensor& timestep, const Tensor& added_text,
               const Tensor& added_numbers, std::int64_t batch) {
  const TimestepStyle style = {model.cosine_first, model.frequency_shift};
  Tensor steps = timestep;
  if (steps.rank() == 0) steps = b.call("aten.to.dtype_layout", {unsqueeze(steps, 0)});
  const Tensor sines = timesteps(b, "time_proj", expand(steps, {batch}), model.levels[0].channels, style);
  Tensor time = timestep_embedding(b, "time_embedding", to(sines, b.dtype()), model.time_width, model.activation,
                                   model.time_post_activation);
  if (added_text) {
    Tensor numbers = timesteps(b, "add_time_proj", flatten(added_numbers, 0), model.added_number_width, style);
    numbers = reshape(numbers, {batch, -1});
    const Tensor both = b.call("aten.concat.default", {std::vector<Tensor>{added_text, numbers}, -1});
    time = add(time, timestep_embedding(b, "add_embedding", to(both, b.dtype()), model.time_width));
  }
  return model.time_activation.empty() ? time : activation(b, "time_embed_act", model.time_activation, time);
}

Graph build(const Config& config, const ModelOptions& options) {
  const UNet model(config);
  constexpr const char* kAddedText = "added_cond_kwargs.text_embeds";
  constexpr const char* kAddedNumbersName = "added_cond_kwargs.time_ids";
  check_input_names(options, {"sample", "timestep", "encoder_hidden_states", kAddedText, kAddedNumbersName});
  const std::int64_t batch = options.batch;
  const std::vector<std::int64_t> usual_size = config.integers("sample_size", {64});
  if (usual_size.empty() || usual_size.size() > 2)
    config.fail("sample_size", "is neither a number nor height and width");
  const Shape usual_sample = {batch, model.in_channels, options.height.value_or(usual_size.front()),
                              options.width.value_or(usual_size.back())};
  const Shape sample_shape =
      input_shape(options, "sample", {{batch, model.in_channels, kDynamic, kDynamic}}, usual_sample);

  Builder b("unet", options.dtype);
  Tensor x = b.input("sample", options.dtype, sample_shape, {InputKind::Content::kPixels, 0});
  constexpr std::int64_t kSteps = 1000;
  const Tensor timestep = b.input("timestep", input_dtype(options, "timestep", DType::kInt64),
                                  input_shape(options, "timestep", {Shape{}, Shape{1}, Shape{batch}}, Shape{}),
                                  input_dtype(options, "timestep", DType::kInt64) == DType::kInt64
                                      ? InputKind{InputKind::Content::kTokens, kSteps}
                                      : InputKind{InputKind::Content::kPixels, 0});
  constexpr std::int64_t kUsualTokens = 77;
  const std::int64_t text_width = model.levels[0].text_width;
  const Tensor text = b.input("encoder_hidden_states", options.dtype,
                              input_shape(options, "encoder_hidden_states", {{batch, kDynamic, text_width}},
                                          {batch, options.sequence.value_or(kUsualTokens), text_width}),
                              {InputKind::Content::kPixels, 0});
  Tensor added_text;
  Tensor added_numbers;
  if (model.added_width > 0) {
    const std::int64_t rest = model.added_width - kAddedNumbers * model.added_number_width;
    if (rest < 1) config.fail("projection_class_embeddings_input_dim", "has no room for six addition_time_embed_dim");
    added_text = b.input(kAddedText, options.dtype, input_shape(options, kAddedText, {{batch, rest}}, {batch, rest}),
                         {InputKind::Content::kPixels, 0});
    added_numbers =
        b.input(kAddedNumbersName, input_dtype(options, kAddedNumbersName, options.dtype),
                input_shape(options, kAddedNumbersName, {{batch, kAddedNumbers}}, {batch, kAddedNumbers}), {});
  }

  const auto top = b.scope("", "UNet2DConditionModel");
  if (model.center_input) x = sub(mul(x, 2), 1.0);
  const Tensor time = time_of(b, model, timestep, added_text, added_numbers, batch);
  const auto same = [](std::int64_t kernel) {
    return nn::Conv2dOptions{.kernel = {kernel, kernel}, .padding = {(kernel - 1) / 2, (kernel - 1) / 2}};
  };
  x = nn::conv2d(b, "conv_in", x, model.levels[0].channels, same(model.in_kernel));
  const std::int64_t factor = std::int64_t{1} << (model.levels.size() - 1);
  const bool forced_size = sample_shape[2] % factor != 0 || sample_shape[3] % factor != 0;
  x = UNetBuilder(b, model, {time, text}, forced_size).run(x);
  x = activation(b, "conv_act", model.activation, group_norm(b, "conv_norm_out", x, model.groups, model.epsilon));
  b.output("sample", nn::conv2d(b, "conv_out", x, model.out_channels, same(model.out_kernel)));
  return b.finish();
}

constexpr std::array kModels = {
    ModelRow{.name = "sd15-unet",
             .title = "Stable Diffusion 1.5 UNet",
             .config = R"({"sample_size": 64, "cross_attention_dim": 768})",
             .parameters = 859520964,
             .height = 64,
             .width = 64},
    ModelRow{.name = "sdxl-unet",
             .title = "Stable Diffusion XL UNet",
             .config = R"({"sample_size": 128, "cross_attention_dim": 2048, "block_out_channels": [320, 640, 1280],
                           "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
                           "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
                           "attention_head_dim": [5, 10, 20], "transformer_layers_per_block": [1, 2, 10],
                           "use_linear_projection": true, "addition_embed_type": "text_time",
                           "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 2816})",
             .parameters = 2567463684,
             .height = 128,
             .width = 128},
};

}  // namespace
}  // namespace diffusion

const Architecture& unet_architecture() {
  static const Architecture kArchitecture = {.model_type = "UNet2DConditionModel",
                                             .domain = Domain::kImageGeneration,
                                             .dataset = "COCO",
                                             .build = diffusion::build,
                                             .models = diffusion::kModels};
  return kArchitecture;
}

}  // namespace nongemm
