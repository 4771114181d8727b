// Reading what decoders' configurations have in common.
#include <algorithm>
#include <utility>

#include "models/parts/decoder.h"

namespace nongemm {

std::int64_t size_or_none(const Config& config, std::string_view key, std::int64_t otherwise) {
  return config.is_null(key) ? 0 : otherwise == 0 && !config.has(key) ? 0 : config.positive(key, otherwise);
}

void Decoder::read(const Config& config) {
  vocabulary = config.positive("vocab_size", vocabulary);
  positions = config.positive("max_position_embeddings", positions);
  width = config.positive("hidden_size", width);
  layers = config.bounded("num_hidden_layers", layers, kMostLayers);
  heads = config.positive("num_attention_heads", heads);
  key_heads = size_or_none(config, "num_key_value_heads", key_heads);
  if (key_heads == 0) key_heads = heads;
  head_width = size_or_none(config, "head_dim", head_width);
  if (head_width == 0) {
    head_width = width / heads;
    if (head_width == 0 || head_width % 2 != 0) {
      config.fail("num_attention_heads", "leaves heads of " + std::to_string(head_width) +
                                             " channels of hidden_size; rotary embedding needs pairs");
    }
  }
  inner = config.positive("intermediate_size", inner);
  padding = config.integer("pad_token_id", padding);
  activation = config.text(activation_key, activation);
  epsilon = config.number("rms_norm_eps", epsilon);
  deviation = config.number("initializer_range", deviation);
  cache = config.flag("use_cache", cache);
  tied = config.flag("tie_word_embeddings", tied);
  if (head_width > kMostPositions) config.fail("head_dim", "is too large");
  if (head_width % 2 != 0) config.fail("head_dim", "is odd; rotary embedding needs pairs");
  if (heads % key_heads != 0) {
    config.fail("num_key_value_heads", "does not divide num_attention_heads " + std::to_string(heads));
  }
  if (!config.flag("is_causal", true)) config.fail("is_causal", "false is not supported");
  if (config.flag("use_bidirectional_attention", false)) {
    config.fail("use_bidirectional_attention", "is not supported");
  }
  sliding.assign(static_cast<std::size_t>(layers), false);
  sparse.assign(static_cast<std::size_t>(layers), true);
  if (experts) {
    experts->read_counts(config);
    experts->inner = inner;
    experts->activation = activation;
    experts->deviation = deviation;
  }
}

std::vector<bool> sliding_layers(const Config& config, std::int64_t layers,
                                 const std::function<bool(std::int64_t)>& is_sliding) {
  std::vector<bool> sliding;
  if (!config.has("layer_types")) {
    for (std::int64_t i = 0; i < layers; ++i) sliding.push_back(is_sliding(i));
    return sliding;
  }
  for (const std::string& type : config.texts("layer_types")) {
    sliding.push_back(type == "sliding_attention");
    if (!sliding.back() && type != "full_attention") {
      config.fail("layer_types", "names '" + type + "'; known: full_attention, sliding_attention");
    }
  }
  if (std::cmp_not_equal(sliding.size(), layers)) {
    config.fail("layer_types",
                "has " + std::to_string(sliding.size()) + " entries for " + std::to_string(layers) + " layers");
  }
  return sliding;
}

void Decoder::read_layer_types(const Config& config, const std::function<bool(std::int64_t)>& is_sliding) {
  sliding = sliding_layers(config, layers, is_sliding);
  const bool any = always_sliding_mask || std::find(sliding.begin(), sliding.end(), true) != sliding.end();
  if (any && window == 0) config.fail("sliding_window", "is needed by layers of type sliding_attention");
}

void Decoder::read_one_window(const Config& config, std::int64_t otherwise) {
  window = size_or_none(config, "sliding_window", otherwise);
  sliding.assign(static_cast<std::size_t>(layers), window > 0);
}

}  // namespace nongemm
