// Token ids to text: what a tokenizer made of it, put together again.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "data/text/tokenizer.h"

namespace nongemm::data {

/// Of byte-level vocabularies (GPT-2, Llama 3) every byte comes back; of SentencePiece's (Llama 2) spaces and bytes do;
/// of WordPiece's, which keeps neither case nor spaces, words are put side by side.
class Detokenizer {
 public:
  explicit Detokenizer(const Tokenizer& tokenizer);

  /// Valid UTF-8; U+FFFD for an id that is none, and for bytes that are no character.
  std::string decode(std::span<const std::int64_t> ids) const;

 private:
  enum class Kind : std::uint8_t { kByteLevel, kSentencePiece, kWordPiece };

  std::string bytes_of(const std::string& token, bool first) const;

  std::unordered_map<std::int64_t, std::string> tokens_;
  std::unordered_map<std::int64_t, std::string> added_;
  Kind kind_ = Kind::kWordPiece;
  std::unordered_map<char32_t, char> bytes_;  // of byte-level characters
};

}  // namespace nongemm::data
