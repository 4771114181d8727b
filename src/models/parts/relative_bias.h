// Scores' offsets by the distance between query and key, in logarithmic buckets: T5 and MPNet.
#pragma once

#include <cstdint>
#include <string>

#include "ops/builder.h"

namespace nongemm {

struct RelativeBias {
  std::int64_t buckets = 32, farthest = 128;
  /// MPNet counts distances from the key, T5 from the query.
  bool from_key = false;
};

/// The module `relative_attention_bias`, a table [table_buckets, heads], is in scope's hands: [1, heads, tokens,
/// tokens].
/// @param table_buckets rows of the table
Tensor relative_bias(Builder& builder, const RelativeBias& bias, std::int64_t table_buckets, std::int64_t heads,
                     std::int64_t tokens, InitSpec init);

}  // namespace nongemm
