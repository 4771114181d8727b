#include "models/parts/attention.h"

#include "models/parts/functional.h"

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
Tensor fused(const Tensor& query, Tensor key, Tensor value, const Tensor& mask, double scaling, bool causal) {
  constexpr std::int64_t kWidestGroupedHead = 256;
  const std::int64_t groups = query.size(1) / key.size(1);
  const bool grouped = groups > 1 && !mask && key.size(3) <= kWidestGroupedHead;
  if (!grouped) {
    key = repeat_heads(key, groups);
    value = repeat_heads(value, groups);
  }
  const bool is_causal = causal && !mask && query.size(2) > 1;
  return scaled_dot_product_attention(query, key, value, mask, is_causal, scaling, grouped);
}

/// eager_attention_forward
Tensor unfused(const Tensor& query, Tensor key, Tensor value, const Tensor& mask, double scaling, bool fp32_softmax) {
  const std::int64_t groups = query.size(1) / key.size(1);
  key = repeat_heads(key, groups);
  value = repeat_heads(value, groups);
  Tensor weights = mul(matmul(query, transpose(key, 2, 3)), scaling);
  if (mask) weights = add(weights, mask);
  weights = fp32_softmax ? to(softmax(weights, -1, DType::kFloat32), query.dtype()) : softmax(weights, -1);
  return matmul(weights, value);
}

}  // namespace

Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, double scaling,
                 Attention implementation, AttentionStyle style) {
  const Tensor out = implementation == Attention::kEager ? unfused(query, key, value, mask, scaling, style.fp32_softmax)
                                                         : fused(query, key, value, mask, scaling, style.causal);
  return contiguous(transpose(out, 1, 2));
}

Tensor split_heads(const Tensor& x, std::int64_t width) {
  return transpose(view(x, {x.size(0), x.size(1), -1, width}), 1, 2);
}

}  // namespace nongemm
