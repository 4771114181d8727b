// The key-value cache of decoders (transformers DynamicCache).
#pragma once

#include "ops/builder.h"

namespace nongemm {

/// The first step: keys and values are concatenated to empty tensors, which copies them.
/// key, value: [batch, heads, tokens, head width]
void append_to_empty_cache(Builder& builder, Tensor& key, Tensor& value);

}  // namespace nongemm
