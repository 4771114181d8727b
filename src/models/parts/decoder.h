// One decoder of parts: what transformers' causal language models since Llama share. An architecture's file says what
// its model has of it (Decoder), reads its own keys and calls build_decoder.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/config.h"
#include "models/parts/experts.h"
#include "models/parts/rms_norm.h"
#include "models/parts/rope.h"
#include "models/registry.h"

namespace nongemm {

/// Norms of queries and keys, over each head.
enum class HeadNorm : std::uint8_t {
  kNone,
  kBeforeTranspose,  // [batch, tokens, heads, width]
  kAfterTranspose,   // [batch, heads, tokens, width]
};

/// How queries and keys are turned.
enum class Rotation : std::uint8_t {
  kWhole,
  kPart,    // only the first part of each head, where the tables are narrower (Phi-3)
  kHalves,  // two halves, one table (gpt-oss)
};

/// A decoder's configuration. Written down with the defaults of the original's config class, then read.
struct Decoder {
  std::string family;       // the classes' prefix: "Qwen3" of Qwen3Attention
  std::string model_class;  // "Qwen3Model"

  // --- sizes -------------------------------------------------------------------------------------------------------
  std::int64_t vocabulary = 32000, positions = 2048, width = 4096, layers = 32, heads = 32, inner = 11008;
  std::int64_t key_heads = 0;   // 0: as many as heads
  std::int64_t head_width = 0;  // 0: width / heads

  // --- parts -------------------------------------------------------------------------------------------------------
  RmsNorm norm = RmsNorm::kLlama;
  HeadNorm head_norm = HeadNorm::kNone;
  bool qkv_bias = false, output_bias = false, mlp_bias = false;
  /// qkv_proj and gate_up_proj in place of three and two projections (Phi-3).
  bool fused_projections = false;
  /// Norms behind attention and feed-forward, too (Gemma).
  bool sandwich_norms = false;
  /// The words' vectors are multiplied by sqrt(width) (Gemma).
  bool scaled_words = false;
  Rotation rotation = Rotation::kWhole;
  /// Each head's softmax has a sink beside the keys (gpt-oss, which has no fused attention for it).
  bool sinks = false;
  /// In place of the feed-forward of the layers in `sparse`.
  std::optional<Experts> experts = std::nullopt;
  std::string activation = "silu", activation_key = "hidden_act", activation_module = "act_fn";
  double epsilon = 1e-6, deviation = 0.02;
  /// Of the scores; absent: 1 / sqrt(head_width).
  std::optional<double> scaling = std::nullopt;
  double attention_softcap = 0.0, final_softcap = 0.0;  // 0: none
  bool cache = true, tied = false;
  /// The pass finds no cache, though there were tokens before it (Phi-3).
  bool drops_cache = false;
  std::int64_t padding = -1;

  // --- positions ---------------------------------------------------------------------------------------------------
  Rope rope = {};
  /// Of layers with a sliding window, where they have one of their own.
  std::optional<Rope> sliding_rope = std::nullopt;
  std::int64_t window = 0;         // 0: none
  std::vector<bool> sliding = {};  // per layer
  std::vector<bool> sparse = {};   // per layer, with experts
  /// The original makes these masks whether or not a layer uses them.
  bool always_full_mask = false, always_sliding_mask = false;

  // --- checkpoints -------------------------------------------------------------------------------------------------
  std::vector<std::pair<std::string, std::string>> renames = {};
  std::vector<WeightPieces> pieces = {};

  /// Reads the keys that all have; sizes are checked.
  void read(const Config& config);
  /// sliding_layers(), and the window that they need.
  void read_layer_types(const Config& config, const std::function<bool(std::int64_t)>& is_sliding);
  /// All layers alike: with a window where `sliding_window` is set.
  /// @param otherwise the default; 0: none
  void read_one_window(const Config& config, std::int64_t otherwise);
};

/// Which layers have a window: `layer_types`, or by `is_sliding(layer)` where the configuration has none.
std::vector<bool> sliding_layers(const Config& config, std::int64_t layers,
                                 const std::function<bool(std::int64_t)>& is_sliding);

/// `key`, the default where it is absent, 0 where it is null.
std::int64_t size_or_none(const Config& config, std::string_view key, std::int64_t otherwise);

/// The model with its language-model head, for one prompt.
Graph build_decoder(const Decoder& decoder, const Config& config, const ModelOptions& options);

}  // namespace nongemm
