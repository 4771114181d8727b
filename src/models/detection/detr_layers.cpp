#include "models/detection/detr_layers.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "models/parts/attention.h"
#include "models/parts/functional.h"
#include "models/parts/modules.h"

namespace nongemm {

using namespace fn;

Tensor detr_linear(Builder& b, const std::string& name, const Tensor& x, std::int64_t out) {
  return nn::linear(b, name, x, out, InitSpec::normal(0, 1.0 / std::sqrt(static_cast<double>(x.size(-1)))));
}

namespace {

constexpr double kNormEpsilon = 1e-5;

/// Self-attention when `memory` is None, else cross-attention.
Tensor attend(Builder& b, const DetrTransformer& model, std::int64_t heads, const std::string& name, const Tensor& x,
              const Tensor& positions, const Tensor& memory, const Tensor& memory_positions, const Tensor& mask) {
  const auto scope = b.scope(name, model.prefix + (memory ? "CrossAttention" : "SelfAttention"));
  const auto project = [&](const char* projection, const Tensor& from) {
    return split_heads(detr_linear(b, projection, from, model.width), model.width / heads);
  };
  const Tensor query_input = positions ? add(x, positions) : x;
  Tensor key_input = query_input;
  if (memory) key_input = memory_positions ? add(memory, memory_positions) : memory;
  const Tensor query = project("q_proj", query_input);
  const Tensor key = project("k_proj", key_input);
  const Tensor value = project("v_proj", memory ? memory : x);
  const std::int64_t head = model.width / heads;
  const double scaling = 1.0 / std::sqrt(static_cast<double>(head));
  const Tensor out = attention(query, key, value, mask, scaling, model.attention, {});
  return detr_linear(b, "o_proj", reshape(out, {out.size(0), out.size(1), -1}), model.width);
}

Tensor feed_forward(Builder& b, const DetrTransformer& model, std::int64_t inner, const Tensor& x) {
  const auto scope = b.scope("mlp", model.prefix + "MLP");
  const Tensor hidden = activation(detr_linear(b, "fc1", x, inner), model.activation, "activation_fn");
  return detr_linear(b, "fc2", hidden, model.width);
}

}  // namespace

Tensor detr_encoder_layers(Builder& b, const DetrTransformer& model, const DetrStack& stack, Tensor x,
                           const Tensor& positions, const Tensor& mask) {
  for (std::int64_t i = 0; i < stack.layers; ++i) {
    const auto scope = b.scope("layers." + std::to_string(i), model.prefix + "EncoderLayer");
    x = add(x, attend(b, model, stack.heads, "self_attn", x, positions, {}, {}, mask));
    x = nn::layer_norm(b, "self_attn_layer_norm", x, kNormEpsilon);
    x = add(x, feed_forward(b, model, stack.inner, x));
    x = nn::layer_norm(b, "final_layer_norm", x, kNormEpsilon);
  }
  return x;
}

Tensor detr_decoder_layers(Builder& b, const DetrTransformer& model, const DetrStack& stack, Tensor x,
                           const Tensor& query_positions, const Tensor& memory, const Tensor& memory_positions,
                           const Tensor& memory_mask) {
  std::vector<Tensor> intermediate;
  for (std::int64_t i = 0; i < stack.layers; ++i) {
    {
      const auto scope = b.scope("layers." + std::to_string(i), model.prefix + "DecoderLayer");
      x = add(x, attend(b, model, stack.heads, "self_attn", x, query_positions, {}, {}, {}));
      x = nn::layer_norm(b, "self_attn_layer_norm", x, kNormEpsilon);
      x = add(x,
              attend(b, model, stack.heads, "encoder_attn", x, query_positions, memory, memory_positions, memory_mask));
      x = nn::layer_norm(b, "encoder_attn_layer_norm", x, kNormEpsilon);
      x = add(x, feed_forward(b, model, stack.inner, x));
      x = nn::layer_norm(b, "final_layer_norm", x, kNormEpsilon);
    }
    if (model.normalise_each) {
      x = nn::layer_norm(b, "layernorm", x, kNormEpsilon);
      intermediate.push_back(x);
    }
  }
  x = nn::layer_norm(b, "layernorm", x, kNormEpsilon);
  if (!intermediate.empty()) b.call("aten.stack.default", {intermediate});
  return x;
}

Tensor detr_sine_positions(Builder& b, const Tensor& mask, std::int64_t features, DType dtype) {
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  constexpr double kScale = 2.0 * std::numbers::pi;
  const Tensor seen = to(mask, dtype);
  const auto cumsum = [&](std::int64_t dim) { return b.call("aten.cumsum.default", {seen, dim}); };
  // Counted cells in a column (row), as a fraction of a turn; the last count is the number of cells that are seen.
  const auto normalise = [&](const Tensor& count, std::int64_t dim) {
    return mul(div(count, add(slice(count, dim, -1, kEnd), 1e-6)), kScale);
  };
  Tensor y = cumsum(1);
  Tensor x = cumsum(2);
  y = normalise(y, 1);
  x = normalise(x, 2);
  Tensor period = to(b.call("aten.arange.default", {features}, {{"dtype", DType::kInt64}}), dtype);
  period = b.call("aten.div.Tensor_mode", {period, 2}, {{"rounding_mode", "floor"}});
  period = b.call("aten.pow.Scalar", {10000, div(mul(period, 2), features)});
  const Tensor angle_x = div(unsqueeze(x, 3), period);
  const Tensor angle_y = div(unsqueeze(y, 3), period);
  const auto waves = [&](const Tensor& angle) {
    const Tensor even = sin(slice(angle, 3, 0, kEnd, 2));
    const Tensor odd = cos(slice(angle, 3, 1, kEnd, 2));
    return flatten(b.call("aten.stack.default", {std::vector<Tensor>{even, odd}, 4}), 3);
  };
  const Tensor wave_x = waves(angle_x);
  const Tensor wave_y = waves(angle_y);
  return permute(cat({wave_y, wave_x}, 3), {0, 3, 1, 2});
}

Tensor detr_mlp_head(Builder& b, Tensor x, std::int64_t width, std::int64_t out) {
  for (int i = 0; i < 3; ++i) {
    x = detr_linear(b, "layers." + std::to_string(i), x, i < 2 ? width : out);
    if (i < 2) x = relu(x);
  }
  return x;
}

}  // namespace nongemm
