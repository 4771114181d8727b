#include "models/diffusion/unet_blocks.h"

#include "models/diffusion/layers.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"

namespace nongemm::diffusion {

using namespace fn;

namespace {

/// Attention of the cells x [batch, cells, width] to `memory`, or to themselves.
Tensor attend(Builder& b, const std::string& name, std::int64_t heads, const Tensor& x, const Tensor& memory) {
  const auto scope = b.scope(name, "Attention");
  const std::int64_t batch = x.size(0);
  const std::int64_t width = x.size(-1);
  const auto project = [&](const char* projection, const Tensor& from) {
    return nn::linear(b, projection, from, width, InitSpec::normal(0, 0.02), /*bias=*/false);
  };
  const auto split = [&](const Tensor& y) { return transpose(view(y, {batch, -1, heads, width / heads}), 1, 2); };
  const Tensor query = project("to_q", x);
  const Tensor key = project("to_k", memory);
  const Tensor value = project("to_v", memory);
  const Tensor query_heads = split(query);
  const Tensor key_heads = split(key);
  const Tensor out = scaled_dot_product_attention(query_heads, key_heads, split(value));
  const Tensor joined = to(reshape(transpose(out, 1, 2), {batch, -1, width}), x.dtype());
  return div(nn::linear(b, "to_out.0", joined, width), 1.0);
}

Tensor transformer_block(Builder& b, const std::string& name, std::int64_t heads, Tensor x, const Tensor& text,
                         bool only_cross) {
  constexpr double kEpsilon = 1e-5;
  const auto scope = b.scope(name, "BasicTransformerBlock");
  Tensor normed = nn::layer_norm(b, "norm1", x, kEpsilon);
  x = add(attend(b, "attn1", heads, normed, only_cross ? text : normed), x);
  normed = nn::layer_norm(b, "norm2", x, kEpsilon);
  x = add(attend(b, "attn2", heads, normed, text), x);
  return add(feed_forward(b, "ff", FeedForward::kGatedGelu, nn::layer_norm(b, "norm3", x, kEpsilon)), x);
}

}  // namespace

Tensor residual_block(Builder& b, const UNet& model, const std::string& name, const Tensor& x, std::int64_t out,
                      const UNetConditions& conditions, double scale) {
  const auto scope = b.scope(name, "ResnetBlock2D");
  const auto act = [&](const Tensor& y) { return activation(b, "nonlinearity", model.activation, y); };
  const nn::Conv2dOptions three = {.kernel = {3, 3}, .padding = {1, 1}};
  Tensor y = act(group_norm(b, "norm1", x, model.groups, model.epsilon));
  y = nn::conv2d(b, "conv1", y, out, three);
  Tensor time = nn::linear(b, "time_emb_proj", act(conditions.time), model.scale_shift ? 2 * out : out);
  time = unsqueeze(unsqueeze(time, 2), 3);
  if (model.scale_shift) {
    const std::vector<Tensor> parts = chunk(time, 2, 1);
    y = group_norm(b, "norm2", y, model.groups, model.epsilon);
    y = add(mul(y, add(parts[0], 1)), parts[1]);
  } else {
    y = group_norm(b, "norm2", add(y, time), model.groups, model.epsilon);
  }
  y = nn::conv2d(b, "conv2", act(y), out, three);
  const Tensor shortcut = x.size(1) == out ? x : nn::conv2d(b, "conv_shortcut", x, out, {.kernel = {1, 1}});
  return div(add(shortcut, y), scale);
}

Tensor map_transformer(Builder& b, const UNet& model, const std::string& name, const UNetLevel& level, const Tensor& x,
                       const UNetConditions& conditions, bool only_cross) {
  constexpr double kEpsilon = 1e-6;
  const auto scope = b.scope(name, "Transformer2DModel");
  const Shape shape = x.shape();
  const std::int64_t width = level.channels;
  const auto to_cells = [&](const Tensor& y) {
    return reshape(permute(y, {0, 2, 3, 1}), {shape[0], shape[2] * shape[3], width});
  };
  const auto to_map = [&](const Tensor& y) {
    return contiguous(permute(reshape(y, {shape[0], shape[2], shape[3], width}), {0, 3, 1, 2}));
  };
  Tensor y = group_norm(b, "norm", x, model.groups, kEpsilon);
  if (model.linear_projection) {
    y = nn::linear(b, "proj_in", to_cells(y), width);
  } else {
    y = to_cells(nn::conv2d(b, "proj_in", y, width, {.kernel = {1, 1}}));
  }
  for (std::int64_t i = 0; i < level.transformers; ++i) {
    y = transformer_block(b, "transformer_blocks." + std::to_string(i), level.heads, y, conditions.text, only_cross);
  }
  if (model.linear_projection) {
    y = to_map(nn::linear(b, "proj_out", y, width));
  } else {
    y = nn::conv2d(b, "proj_out", to_map(y), width, {.kernel = {1, 1}});
  }
  return add(y, x);
}

}  // namespace nongemm::diffusion
