// Text to token ids, with the ids of the original tokenizers (transformers 5.17, tokenizers 0.23) on any text.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "data/text/added_tokens.h"
#include "data/text/normalizer.h"
#include "data/text/pre_tokenizer.h"
#include "data/text/token_model.h"
#include "data/text/vocabulary.h"

namespace nongemm::data {

/// What a tokenizer is made of. Only the model is needed.
struct TokenizerParts {
  std::vector<AddedToken> added_tokens;
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<TokenModel> model;
  std::vector<TokenId> prefix;  // before every sequence: <s>, [CLS]
  std::vector<TokenId> suffix;  // behind every sequence: [SEP]
};

/// Not thread-safe: it remembers words it has seen.
class Tokenizer {
 public:
  explicit Tokenizer(TokenizerParts parts);

  /// Ids of valid UTF-8 text (see sanitize_utf8), with prefix() and suffix() when `with_special_tokens`.
  std::vector<TokenId> encode(std::string_view text, bool with_special_tokens = true);

  const std::vector<TokenId>& prefix() const { return parts_.prefix; }
  const std::vector<TokenId>& suffix() const { return parts_.suffix; }
  const TokenizerParts& parts() const { return parts_; }
  /// One more than the largest id.
  TokenId id_limit() const { return id_limit_; }

 private:
  void encode_text(std::string_view text, std::size_t offset, std::vector<TokenId>& ids);

  TokenizerParts parts_;
  AddedTokens raw_tokens_;         // looked for in the text as it is
  AddedTokens normalized_tokens_;  // looked for in the normalised text
  TokenId id_limit_ = 0;
};

/// Opens what a checkpoint folder holds: tokenizer.json, vocab.json with merges.txt (GPT-2), vocab.txt (BERT) or
/// tokenizer.model (Llama), in this order, with the settings of its tokenizer_config.json. A path to a tokenizer.json
/// or a tokenizer.model is fine too.
///
/// As in transformers 5.17, a tokenizer_class of GPT2Tokenizer, BertTokenizer or LlamaTokenizer takes only the
/// vocabulary, merges, added tokens and the template from tokenizer.json; the other steps are the class's own. Special
/// tokens such as <s> are added where the template or add_bos_token says so; a lone tokenizer.model adds none.
///
/// Throws Error(kBadInput) naming file and key, Error(kUnsupported) for steps that are not known here.
std::unique_ptr<Tokenizer> open_tokenizer(const std::filesystem::path& path);

}  // namespace nongemm::data
