// Perplexity of a text: what a language model loses where its numbers have fewer bits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "flows/flow.h"
#include "prepare/prepare.h"

namespace nongemm {

/// e to the mean of -log p(token | tokens before it in its block), over tokens of the text that were read for the first
/// time. Blocks do not overlap, so that a block's first tokens have few before them: compare with figures taken of
/// blocks of the same length.
struct Perplexity {
  double value = 0;
  std::int64_t tokens = 0;  // that were predicted
};

/// Adds up the loss of batches.
class TokenLosses {
 public:
  /// @param logits [batch, tokens, vocabulary], floating-point
  /// @param ids int64 [batch, tokens]
  /// @param samples one for each of the batch
  void add(const HostTensor& logits, const HostTensor& ids, const std::vector<data::Sample>& samples);
  std::int64_t tokens() const { return tokens_; }
  /// Nothing without a token.
  std::optional<Perplexity> perplexity() const;

 private:
  double loss_ = 0;
  std::int64_t tokens_ = 0;
};

/// Runs the session over the text from its beginning, batch by batch, until it ends or so many tokens were predicted.
/// The session's inputs are others afterwards. Nothing for what is no decoder with logits of every token.
/// @param options as for read_data()
/// @param most_tokens after which no further batch is run
std::optional<Perplexity> perplexity_of_text(const Model& model, const Graph& graph, Session& session,
                                             const std::string& text, const std::string& weights_folder,
                                             const ModelOptions& options, std::int64_t most_tokens);

}  // namespace nongemm
