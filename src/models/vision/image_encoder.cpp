#include "models/vision/image_encoder.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "base/error.h"
#include "models/parts/attention.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"

namespace nongemm {

using namespace fn;

namespace {

/// A number for both sides, or a list of height and width.
std::array<std::int64_t, 2> sides(const Config& config, std::string_view key, std::array<std::int64_t, 2> otherwise) {
  constexpr std::int64_t kLargest = 1 << 16;
  const std::vector<std::int64_t> given = config.integers(key, {otherwise[0], otherwise[1]});
  if (given.empty() || given.size() > 2) config.fail(key, "is neither one number nor height and width");
  for (const std::int64_t side : given) {
    if (side < 1 || side > kLargest) config.fail(key, "is not between 1 and 65536");
  }
  return {given.front(), given.back()};
}

}  // namespace

void ImageEncoder::read(const Config& config) {
  constexpr std::int64_t kWidest = 1 << 20;
  width = config.bounded("hidden_size", width, kWidest);
  layers = config.bounded("num_hidden_layers", layers, kMostLayers);
  heads = config.positive("num_attention_heads", heads);
  inner = config.positive("intermediate_size", inner);
  channels = config.positive("num_channels", channels);
  image = sides(config, "image_size", image);
  patch = sides(config, "patch_size", patch);
  activation = config.text("hidden_act", activation);
  epsilon = config.number("layer_norm_eps", epsilon);
  deviation = config.number("initializer_range", deviation);
  qkv_bias = config.flag("qkv_bias", qkv_bias);
  if (width % heads != 0) config.fail("num_attention_heads", "does not divide hidden_size " + std::to_string(width));
  if (patches() < 1) config.fail("patch_size", "is larger than image_size");
  if (patches() > kMostPositions) config.fail("patch_size", "cuts an image into more than 4194304 patches");
}

Tensor pixel_values(Builder& b, const ModelOptions& options, std::int64_t channels, std::array<std::int64_t, 2> size) {
  const std::int64_t height = options.height.value_or(size[0]);
  const std::int64_t width = options.width.value_or(size[1]);
  if (height < 1 || width < 1) throw Error(ErrorKind::kUsage, "images of no size", "use a positive height and width");
  return b.input("pixel_values", options.dtype, {options.batch, channels, height, width},
                 {InputKind::Content::kPixels, 0});
}

Tensor pixel_values_of_one_size(Builder& b, const Config& config, const ModelOptions& options,
                                const ImageEncoder& model) {
  const auto in_words = [](std::int64_t height, std::int64_t width) {
    return std::to_string(height) + " x " + std::to_string(width);
  };
  const std::int64_t height = options.height.value_or(model.image[0]);
  const std::int64_t width = options.width.value_or(model.image[1]);
  if (height != model.image[0] || width != model.image[1]) {
    throw Error(ErrorKind::kUsage, config.origin() + ": an image of " + in_words(height, width) + " pixels",
                "the model takes " + in_words(model.image[0], model.image[1]) + " (image_size)");
  }
  return pixel_values(b, options, model.channels, model.image);
}

Tensor patch_tokens(Builder& b, const std::string& name, const Tensor& pixels, const ImageEncoder& model, bool bias) {
  const Shape patch = {model.patch[0], model.patch[1]};
  const Tensor map = nn::conv2d(b, name, pixels, model.width, {.kernel = patch, .stride = patch, .bias = bias});
  return transpose(flatten(map, 2), 1, 2);
}

Tensor position_embedding(Builder& b, const ImageEncoder& model, std::int64_t positions) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(positions));
  std::iota(numbers.begin(), numbers.end(), 0);
  const Tensor table = nn::embedding_table(b, "position_embedding", positions, model.width, model.init());
  const Tensor ids = b.constant(HostTensor::from<std::int64_t>(DType::kInt64, {1, positions}, numbers), "position_ids");
  return nn::embedding(b, "position_embedding", table, ids);
}

Tensor image_mlp(Builder& b, const ImageEncoder& model, const Tensor& x, const char* activation_name) {
  const auto scope = b.scope("mlp", model.family + "MLP");
  const Tensor hidden = nn::linear(b, "fc1", x, model.inner, model.init());
  return nn::linear(b, "fc2", activation(hidden, model.activation, activation_name), model.width, model.init());
}

namespace {

Tensor self_attention(Builder& b, const ImageEncoder& model, const ImageLayerNames& names, const Tensor& x,
                      Attention implementation, bool project_first) {
  const auto scope = b.scope(names.attention, model.family + "Attention");
  std::array<Tensor, 3> parts;
  constexpr std::array kProjections = {"q_proj", "k_proj", "v_proj"};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i] = nn::linear(b, kProjections[i], x, model.width, model.init(), model.qkv_bias);
    if (!project_first) parts[i] = split_heads(parts[i], model.head_width());
  }
  for (Tensor& part : parts) {
    if (project_first) part = split_heads(part, model.head_width());
  }
  const double scaling = 1.0 / std::sqrt(static_cast<double>(model.head_width()));
  const Tensor out = attention(parts[0], parts[1], parts[2], {}, scaling, implementation, {.fp32_softmax = true});
  return nn::linear(b, names.output, reshape(out, {x.size(0), x.size(1), -1}), model.width, model.init());
}

}  // namespace

Tensor image_layer(Builder& b, const ImageEncoder& model, const ImageLayerNames& names, const Tensor& x,
                   Attention attention, bool project_first) {
  const Tensor attended =
      self_attention(b, model, names, nn::layer_norm(b, names.norm1, x, model.epsilon), attention, project_first);
  const Tensor y = add(x, attended);
  return add(y, image_mlp(b, model, nn::layer_norm(b, names.norm2, y, model.epsilon)));
}

}  // namespace nongemm
