// The key-value cache of decoders (transformers DynamicCache).
#pragma once

#include "models/parts/masking.h"
#include "ops/builder.h"

namespace nongemm {

/// The first step: keys and values are concatenated to empty tensors, which copies them.
/// key, value: [batch, heads, tokens, head width]
/// @param window of a layer with a sliding window: the cache keeps one key less
void append_to_empty_cache(Builder& builder, Tensor& key, Tensor& value, std::int64_t window = kNoWindow);

}  // namespace nongemm
