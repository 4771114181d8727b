#include "models/detr_layers.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "models/functional.h"

namespace nongemm {

using namespace fn;

Tensor detr_linear(Builder& b, const std::string& name, const Tensor& x, std::int64_t out) {
  const auto scope = b.scope(name, "Linear");
  const std::int64_t in = x.size(-1);
  const double deviation = 1.0 / std::sqrt(static_cast<double>(in));
  return linear(x, b.parameter("weight", {out, in}, InitSpec::normal(0, deviation)),
                b.parameter("bias", {out}, InitSpec::constant(0)));
}

namespace {

Tensor norm(Builder& b, const std::string& name, const Tensor& x) {
  const auto scope = b.scope(name, "LayerNorm");
  const std::int64_t width = x.size(-1);
  return layer_norm(x, {width}, b.parameter("weight", {width}, InitSpec::constant(1)),
                    b.parameter("bias", {width}, InitSpec::constant(0)), 1e-5);
}

Tensor attend(const DetrTransformer& model, const Tensor& query, const Tensor& key, const Tensor& value,
              const Tensor& mask) {
  const double scaling = 1.0 / std::sqrt(static_cast<double>(query.size(3)));
  if (model.attention != Attention::kEager) {
    return transpose(scaled_dot_product_attention(query, key, value, mask, false, scaling), 1, 2);
  }
  Tensor weights = mul(matmul(query, transpose(key, 2, 3)), scaling);
  if (mask) weights = add(weights, mask);
  const Tensor out = transpose(matmul(softmax(weights, -1), value), 1, 2);
  return is_contiguous(out.type()) ? out : contiguous(out);
}

/// Self-attention when `memory` is None, else cross-attention.
Tensor attention(Builder& b, const DetrTransformer& model, std::int64_t heads, const std::string& name, const Tensor& x,
                 const Tensor& positions, const Tensor& memory, const Tensor& memory_positions, const Tensor& mask) {
  const auto scope = b.scope(name, model.prefix + (memory ? "CrossAttention" : "SelfAttention"));
  const auto project = [&](const char* projection, const Tensor& from) {
    const Tensor y = detr_linear(b, projection, from, model.width);
    return transpose(view(y, {y.size(0), y.size(1), -1, model.width / heads}), 1, 2);
  };
  const Tensor query_input = positions ? add(x, positions) : x;
  Tensor key_input = query_input;
  if (memory) key_input = memory_positions ? add(memory, memory_positions) : memory;
  const Tensor query = project("q_proj", query_input);
  const Tensor key = project("k_proj", key_input);
  const Tensor value = project("v_proj", memory ? memory : x);
  const Tensor out = attend(model, query, key, value, mask);
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
    x = add(x, attention(b, model, stack.heads, "self_attn", x, positions, {}, {}, mask));
    x = norm(b, "self_attn_layer_norm", x);
    x = add(x, feed_forward(b, model, stack.inner, x));
    x = norm(b, "final_layer_norm", x);
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
      x = add(x, attention(b, model, stack.heads, "self_attn", x, query_positions, {}, {}, {}));
      x = norm(b, "self_attn_layer_norm", x);
      x = add(x, attention(b, model, stack.heads, "encoder_attn", x, query_positions, memory, memory_positions,
                           memory_mask));
      x = norm(b, "encoder_attn_layer_norm", x);
      x = add(x, feed_forward(b, model, stack.inner, x));
      x = norm(b, "final_layer_norm", x);
    }
    if (model.normalise_each) {
      x = norm(b, "layernorm", x);
      intermediate.push_back(x);
    }
  }
  x = norm(b, "layernorm", x);
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
