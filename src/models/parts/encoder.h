// One encoder of parts: BERT's layers, which RoBERTa, XLM-R, ELECTRA and MPNet share, and the heads that stand on them.
#pragma once

#include <cstdint>
#include <string>

#include "models/config.h"
#include "models/parts/text_inputs.h"
#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

/// An encoder's configuration. Written down with the defaults of the original's config class, then read.
struct Encoder {
  std::string family;  // the classes' prefix: "Bert" of BertSelfAttention
  std::string base;    // the attribute that holds it under a head: "bert"

  std::int64_t vocabulary = 30522, positions = 512, types = 2 /* 0: no table of types */, width = 768, layers = 12,
               heads = 12, inner = 3072;
  std::int64_t words_width = 0;  // of the embeddings; 0: `width`, else they are projected (ELECTRA)
  std::int64_t chunk = 0, padding = 0;
  std::string activation = "gelu";
  double epsilon = 1e-12, deviation = 0.02;
  /// Positions count from the padding token's index on, padding tokens left out (RoBERTa).
  bool positions_from_ids = false;
  /// MPNet's attention, with offsets by distance from a table of so many rows; 0: BERT's.
  std::int64_t relative_buckets = 0;
  bool decoder = false, cache = false, tied = true;

  void read(const Config& config);
  /// The longest sequence.
  std::int64_t most_tokens() const { return positions_from_ids ? positions - padding - 1 : positions; }
  InitSpec init() const { return InitSpec::normal(0, deviation); }
};

/// Builds an encoder's modules and heads into a graph.
class EncoderBuilder {
 public:
  EncoderBuilder(Builder& b, const Encoder& model, const ModelOptions& options, std::int64_t tokens);

  /// The base model; the last hidden state [batch, tokens, width].
  /// @param under_head inside the attribute `base`, as a head's class holds it
  Tensor base_model(bool under_head);
  /// The pooler's output in the base model's scope: the first token's state, dense, tanh. [batch, width]
  Tensor pooled(const Tensor& x, bool under_head);
  /// Of a head: [.., out]
  Tensor linear(const std::string& name, const Tensor& x, std::int64_t out);
  Tensor norm(const std::string& name, const Tensor& x);
  /// The word embeddings as a projection onto the vocabulary, with `bias`, a parameter of the scope around; or a
  /// `decoder` of its own where the configuration does not tie them.
  /// @param path of the head: "cls.predictions"
  Tensor decoded(const std::string& path, const Tensor& x);

 private:
  Tensor model_body(const TextInputs& inputs);
  Tensor embeddings(const TextInputs& inputs);
  Tensor taken_positions();
  Tensor counted_positions(const Tensor& ids);
  Tensor default_types(const Tensor& position_ids);
  Tensor layer(std::int64_t index, const Tensor& x, const Tensor& mask);
  Tensor attention_block(const Tensor& x, const Tensor& mask);
  Tensor mpnet_attention_block(const Tensor& x, const Tensor& mask);
  Tensor feed_forward(const Tensor& x);

  Builder& b_;
  const Encoder& model_;
  const ModelOptions& options_;
  std::int64_t tokens_;
  Tensor words_;
  Tensor distances_;  // MPNet's offsets of the scores, [batch, heads, tokens, tokens]
};

/// The common frame: reads nothing itself, checks the tokens, gives the builder to `heads`, which adds the outputs.
template <typename Heads>
Graph build_encoder(const Encoder& model, const Config& config, const ModelOptions& options, Heads&& heads) {
  const std::int64_t tokens = checked_tokens(config, options, model.most_tokens(), "max_position_embeddings");
  if (model.chunk > 0 && tokens % model.chunk != 0) {
    config.fail("chunk_size_feed_forward", "does not divide the " + std::to_string(tokens) + " tokens");
  }
  Builder b(model.base, options.dtype);
  b.graph().attributes["attention"] = options.attention == Attention::kEager ? "eager" : "sdpa";
  b.graph().checkpoint_rules = {
      .ignored = {},
      .optional_prefixes = {model.base + "."},
      .renames = {{"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}}};
  heads(b, EncoderBuilder(b, model, options, tokens));
  return b.finish();
}

}  // namespace nongemm
