// Rotary position embedding with the scalings of transformers 5.17 (modeling_rope_utils.py).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/config.h"
#include "ops/builder.h"

namespace nongemm {

/// What differs between the models that read a rotary embedding.
struct RopeDefaults {
  double theta = 10000.0;
  /// Positions before the context was extended, where the model has a default of its own.
  std::int64_t original_positions = 0;
  /// The model rotates only the first part of each head (`partial_rotary_factor`).
  bool partial = false;
  /// Phi-3's names: default and longrope, which old configurations call "su" or "yarn".
  bool only_longrope = false;
};

/// What a configuration says of its rotary embedding: `rope_parameters`, or the older `rope_scaling` and `rope_theta`.
struct Rope {
  enum class Type : std::uint8_t { kDefault, kLinear, kDynamic, kYarn, kLongRope, kLlama3, kProportional };

  Type type = Type::kDefault;
  std::int64_t head_width = 0;          // what is rotated of it
  std::int64_t positions = 0;           // max_position_embeddings
  std::int64_t original_positions = 0;  // those of the training before the context was extended
  double theta = 10000.0;
  double factor = 1.0;
  /// The table is recomputed by the sequence's length, which may then exceed `positions`.
  bool grows() const { return type == Type::kDynamic; }

  double low_frequency = 1.0, high_frequency = 4.0;  // llama3
  double beta_fast = 32.0, beta_slow = 1.0;          // yarn
  bool truncate = true;                              // yarn
  std::vector<double> short_factors, long_factors;   // longrope
  double partial = 1.0;                              // proportional
  /// Cosine and sine are multiplied by it.
  double attention_scaling = 1.0;
  /// Both factors of the angles are cast to fp32 once more (an older form, which Qwen2, Qwen3, Gemma 2 and gpt-oss
  /// have).
  bool casts_factors = false;
  /// The two halves of a head share one table (gpt-oss).
  bool half_tables = false;

  /// @param head_width even
  /// Throws Error(kBadInput) naming the key that is missing, wrong or not supported.
  static Rope read(const Config& config, std::int64_t head_width, std::int64_t positions,
                   const RopeDefaults& defaults = {});
  /// @param parameters what `rope_parameters` holds, in models that have several
  static Rope from(const Config& parameters, const Config& config, std::int64_t head_width, std::int64_t positions,
                   const RopeDefaults& defaults);
};

/// The two rotary embeddings of models whose layers with a sliding window have one of their own.
struct LayerRopes {
  Rope full, sliding;
};

/// Keys of older configurations, and the defaults of the two.
struct LayerRopeKeys {
  std::string_view full_theta, sliding_theta;
  double full_default, sliding_default;
  /// `rope_scaling` is for both.
  bool scales_both;
};
LayerRopes read_layer_ropes(const Config& config, std::int64_t head_width, std::int64_t positions,
                            const LayerRopeKeys& keys);

/// Inverse frequencies for a sequence of `tokens`, one for each pair of channels, in fp32 arithmetic as the original's.
std::vector<float> inverse_frequencies(const Rope& rope, std::int64_t tokens);

struct RotaryTables {
  Tensor cos, sin;  // [1, tokens, head_width], gpt-oss's [1, tokens, head_width / 2]
};

/// LlamaRotaryEmbedding.forward, in scope, as in every call after the first.
/// @param position_ids [1, tokens] or [batch, tokens] int64
/// @param length of the sequence so far, where the tokens are not all of it
RotaryTables rotary_tables(Builder& b, const Rope& rope, const Tensor& position_ids, DType dtype,
                           std::int64_t length = 0);

/// apply_rotary_pos_emb: query and key [batch, heads, tokens, head_width] are replaced by the rotated ones.
void rotate(const RotaryTables& tables, Tensor& query, Tensor& key);
/// Phi-3's: what of a head is wider than the tables passes as it is.
void rotate_part(const RotaryTables& tables, Tensor& query, Tensor& key);
/// gpt-oss's: the two halves of a head share one table.
void rotate_halves(const RotaryTables& tables, Tensor& query, Tensor& key);
/// ModernBERT's: in fp32 and cast back.
void rotate_in_float(const RotaryTables& tables, Tensor& query, Tensor& key);

}  // namespace nongemm
