// Attention masks as transformers 5.17 makes them (masking_utils.py): which operators run depends on the attention
// implementation and on whether the caller's mask has zeros.
#pragma once

#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

/// The lowest number of a floating-point type (torch.finfo(dtype).min).
double lowest(DType dtype);

/// A query sees all keys.
inline constexpr std::int64_t kNoWindow = 0;

/// What keys a pass's queries stand before (transformers' Cache: get_mask_sizes, get_query_offset).
struct MaskSpan {
  std::int64_t keys = 0;
  std::int64_t first_key = 0;  // its position
  std::int64_t past = 0;       // positions before the first query
  /// The same, where only the device counts them; None where the host does.
  Tensor counted_first_key = {}, counted_past = {};
  /// A static cache, whose masks one token does not do without.
  bool is_static = false;
};

/// The mask for a causal decoder, or None when scaled_dot_product_attention's is_causal flag suffices.
/// @param padding_mask [batch, tokens] int64, or None
/// @param batch, tokens of the queries
/// @param dtype of an eager mask, which is added to the scores (0 or the lowest number)
/// @param window a query sees so many keys, itself the last
Tensor causal_mask(Builder& builder, Tensor padding_mask, std::int64_t batch, std::int64_t tokens, DType dtype,
                   const ModelOptions& options, std::int64_t window = kNoWindow);
/// The same for queries behind a cache.
Tensor causal_mask(Builder& builder, Tensor padding_mask, std::int64_t batch, std::int64_t tokens, DType dtype,
                   const ModelOptions& options, std::int64_t window, const MaskSpan& span);

/// The check for several sequences packed into one sample, which runs before a causal mask where there is neither a
/// padding mask nor a cache. It finds none: positions count up.
/// @param positions [1, tokens] int64, the same in all samples
void check_for_packing(Builder& builder, const Tensor& positions, std::int64_t batch);

/// The mask for an encoder, or None when nothing is padded.
/// @param padding_mask [batch, keys], int64 or bool
/// @param queries tokens that attend; differs from the keys in cross-attention
/// @param window a query sees keys that are at most so far away
Tensor bidirectional_mask(Builder& builder, Tensor padding_mask, std::int64_t batch, std::int64_t queries, DType dtype,
                          const ModelOptions& options, std::int64_t window = kNoWindow);

}  // namespace nongemm
