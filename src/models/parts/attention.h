// transformers' attention functions (ALL_ATTENTION_FUNCTIONS), shared by the models that call them.
#pragma once

#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

/// What differs between the models' own eager_attention_forward.
struct AttentionStyle {
  /// The scores' softmax computes in fp32 and is cast back (Llama, SegFormer).
  bool fp32_softmax = false;
  /// A causal decoder: without a mask the fused operator gets is_causal.
  bool causal = false;
  /// Eager scores are kept within (-softcap, softcap) by a tanh; 0: they are not. The fused operator has none.
  double softcap = 0.0;
  /// Added to the scores, [1, heads, q, k]; fused, it becomes the mask.
  Tensor position_bias = {};
  /// Eager: one more score for each head, which takes its share of the softmax and then falls away (gpt-oss). [heads]
  Tensor sinks = {};
};

/// query [batch, heads, q, width]; key, value [batch, key heads, k, width], where key heads divide heads;
/// mask broadcasts to [batch, heads, q, k] or is None. Returns [batch, q, heads, width], contiguous.
Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, double scaling,
                 Attention implementation, AttentionStyle style = {});

/// cap * tanh(x / cap)
Tensor soft_capped(const Tensor& x, double cap);

/// [batch, tokens, heads * width] -> [batch, heads, tokens, width]
Tensor split_heads(const Tensor& x, std::int64_t width);

}  // namespace nongemm
