// The key-value cache of decoders as transformers 5.17 keeps it (cache_utils.py): DynamicCache, which grows by
// concatenation, and StaticCache, which is written in place. Between the passes of a generation it is state of the
// graph (graph/state.h): `N.key` and `N.value` of layer N, of a static cache `N.length`, too.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "models/parts/masking.h"
#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

/// The first step: keys and values are concatenated to empty tensors, which copies them.
/// key, value: [batch, heads, tokens, head width]
/// @param window of a layer with a sliding window: the cache keeps one key less
void append_to_empty_cache(Builder& builder, Tensor& key, Tensor& value, std::int64_t window = kNoWindow);

class KeyValueCache {
 public:
  /// @param options with or without a pass: without one the cache is dynamic and empty, and nothing is kept of it
  /// @param dropped the pass begins with an empty cache, whatever came before (Phi-3)
  KeyValueCache(Builder& builder, const ModelOptions& options, std::int64_t tokens, bool dropped = false)
      : builder_(builder), options_(options), tokens_(tokens), dropped_(dropped) {}

  /// Appends keys and values [batch, heads, tokens, head width] of the pass's tokens; both become what attention sees.
  void update(std::int64_t layer, Tensor& key, Tensor& value, std::int64_t window = kNoWindow);

  /// What a mask for layers of this window spans; `layer` is the first of them.
  MaskSpan span(std::int64_t layer, std::int64_t window = kNoWindow);

  /// Positions of the pass's tokens where nobody gives them, [1, tokens].
  /// @param window of layer 0
  Tensor positions(std::int64_t window = kNoWindow);

  /// Behind all layers: what the device counts for the next pass.
  void advance();

  /// Tokens that there have been after the pass, of the sample with the fewest padding.
  std::int64_t length() const { return seen() + tokens_ - (options_.pass ? options_.pass->least_padding : 0); }

 private:
  bool is_static() const { return options_.pass && options_.pass->cache == CacheKind::kStatic; }
  /// Tokens per sample before the pass, and those of them that are cached.
  std::int64_t seen() const { return options_.pass ? options_.pass->past : 0; }
  std::int64_t past() const { return dropped_ ? 0 : seen(); }
  /// Keys that a static layer holds.
  std::int64_t capacity(std::int64_t window) const;
  Tensor length_of(std::int64_t layer);
  /// Positions of a layer's queries as the device counts them, []; None where the host does.
  Tensor counted_past(std::int64_t layer, std::int64_t window);
  Tensor position();
  void update_dynamic(std::int64_t layer, Tensor& key, Tensor& value, std::int64_t window);
  void update_static(std::int64_t layer, Tensor& key, Tensor& value, std::int64_t window);
  void write(const Tensor& keys, const Tensor& values, std::int64_t layer, Tensor& key, Tensor& value, bool sliding);
  void shift(const Tensor& keys, const Tensor& values, Tensor& key, Tensor& value);

  Builder& builder_;
  const ModelOptions& options_;
  std::int64_t tokens_;
  bool dropped_;
  std::map<std::int64_t, Tensor> lengths_;  // by layer
  Tensor position_;                         // of the first query, where windows are counted on the device
  bool has_window_ = false;
};

}  // namespace nongemm
