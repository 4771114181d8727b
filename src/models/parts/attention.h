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
};

/// query [batch, heads, q, width]; key, value [batch, key heads, k, width], where key heads divide heads;
/// mask broadcasts to [batch, heads, q, k] or is None. Returns [batch, q, heads, width], contiguous.
Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& mask, double scaling,
                 Attention implementation, AttentionStyle style = {});

/// [batch, tokens, heads * width] -> [batch, heads, tokens, width]
Tensor split_heads(const Tensor& x, std::int64_t width);

}  // namespace nongemm
