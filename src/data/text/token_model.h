// The third step of a tokenizer: one piece of text to token ids.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/text/vocabulary.h"

namespace nongemm::data {

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  /// Appends the piece's ids. Not thread-safe.
  virtual void tokenize(std::string_view piece, std::vector<TokenId>& ids) = 0;
  virtual const Vocabulary& vocabulary() const = 0;
};

struct BpeOptions {
  std::string unknown;  // empty: characters that are not in the vocabulary vanish
  std::string continuing_prefix;
  std::string word_suffix;
  bool fuse_unknown = false;   // neighbouring unknown characters become one token
  bool byte_fallback = false;  // they become the tokens <0x00> to <0xFF> of their bytes
  bool ignore_merges = false;  // a piece that is a token is that token, whatever the merges say
};

using Merges = std::vector<std::pair<std::string, std::string>>;

/// Byte pair encoding. Throws Error(kBadInput) naming a merge whose parts or result are not in the vocabulary.
std::unique_ptr<TokenModel> make_bpe(Vocabulary vocabulary, const Merges& merges, const BpeOptions& options);

struct WordPieceOptions {
  std::string unknown = "[UNK]";
  std::string continuing_prefix = "##";
  std::size_t max_characters = 100;  // longer words are unknown
};

/// Longest match first. Throws Error(kBadInput) when the unknown token is not in the vocabulary.
std::unique_ptr<TokenModel> make_word_piece(Vocabulary vocabulary, const WordPieceOptions& options);

}  // namespace nongemm::data
