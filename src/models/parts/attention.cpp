#include "models/parts/attention.h"

#include "models/parts/functional.h"
#include "models/parts/masking.h"

namespace nongemm {
namespace {

using namespace fn;

/// repeat_kv: every key head once for each query head that it serves.
Tensor repeat_heads(const Tensor& x, std::int64_t times) {
  if (times == 1) return x;
  const Shape shape = x.shape();
  const Tensor repeated = expand(unsqueeze(x, 2), {shape[0], shape[1], times, shape[2], shape[3]});
  return reshape(repeated, {shape[0], shape[1] * times, shape[2], shape[3]});
}

/// sdpa_attention_forward
Tensor fused(const Tensor& query, Tensor key, Tensor value, Tensor mask, double scaling, const AttentionStyle& style) {
  constexpr std::int64_t kWidestGroupedHead = 256;
  const std::int64_t groups = query.size(1) / key.size(1);
  const bool grouped = groups > 1 && !mask && key.size(3) <= kWidestGroupedHead;
  if (!grouped) {
    key = repeat_heads(key, groups);
    value = repeat_heads(value, groups);
  }
  const bool is_causal = style.causal && !mask && query.size(2) > 1;
  if (is_causal && key.size(2) > query.size(2)) {  // a static cache's prompt: what is not filled yet
    key = index_slice(key, 2, 0, query.size(2));
    value = index_slice(value, 2, 0, query.size(2));
  }
  if (style.position_bias && mask) {  // create_position_bias_mask
    mask = query.builder().call("aten.where.ScalarOther", {mask, style.position_bias, lowest(query.dtype())});
  } else if (style.position_bias) {
    mask = style.position_bias;
  }
  return scaled_dot_product_attention(query, key, value, mask, is_causal, scaling, grouped);
}

/// Shares of the softmax over the scores [batch, heads, q, k] and one sink each, without the sinks'.
Tensor softmax_beside_sinks(const Tensor& scores, const Tensor& sinks) {
  Builder& b = scores.builder();
  const Tensor column = expand(reshape(sinks, {1, -1, 1, 1}), {scores.size(0), -1, scores.size(2), -1});
  Tensor all = cat({scores, column}, -1);
  all = sub(all, b.call_all("aten.max.dim", {all, -1, true})[0]);
  return to(slice(softmax(all, -1, all.dtype()), 3, 0, -1), scores.dtype());
}

/// eager_attention_forward
Tensor unfused(const Tensor& query, Tensor key, Tensor value, const Tensor& mask, double scaling,
               const AttentionStyle& style) {
  const std::int64_t groups = query.size(1) / key.size(1);
  key = repeat_heads(key, groups);
  value = repeat_heads(value, groups);
  Tensor weights = mul(matmul(query, transpose(key, 2, 3)), scaling);
  if (style.softcap != 0.0) weights = soft_capped(weights, style.softcap);
  if (style.position_bias) weights = add(weights, style.position_bias);
  if (mask) weights = add(weights, mask);
  if (style.sinks) {
    return matmul(softmax_beside_sinks(weights, style.sinks), value);
  }
  weights = style.fp32_softmax ? to(softmax(weights, -1, DType::kFloat32), query.dtype()) : softmax(weights, -1);
  return matmul(weights, value);
}

}  // namespace

Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, double scaling,
                 Attention implementation, AttentionStyle style) {
  const Tensor out = implementation == Attention::kEager ? unfused(query, key, value, mask, scaling, style)
                                                         : fused(query, key, value, mask, scaling, style);
  return contiguous(transpose(out, 1, 2));
}

Tensor soft_capped(const Tensor& x, double cap) {
  return mul(x.builder().call("aten.tanh.default", {div(x, cap)}), cap);
}

Tensor split_heads(const Tensor& x, std::int64_t width) {
  return transpose(view(x, {x.size(0), x.size(1), -1, width}), 1, 2);
}

}  // namespace nongemm
