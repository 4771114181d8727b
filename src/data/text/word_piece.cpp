#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "data/text/token_model.h"
#include "data/text/unicode.h"
#include "data/text/word_cache.h"

namespace nongemm::data {
namespace {

class WordPiece : public TokenModel {
 public:
  WordPiece(Vocabulary vocabulary, const WordPieceOptions& options)
      : vocabulary_(std::move(vocabulary)), options_(options) {
    const auto unknown = vocabulary_.find(options_.unknown);
    if (unknown == vocabulary_.end()) {
      throw Error(ErrorKind::kBadInput,
                  fmt::format("the unknown token '{}' is not in the vocabulary", options_.unknown));
    }
    unknown_ = unknown->second;
    for (const auto& [token, id] : vocabulary_) longest_ = std::max(longest_, token.size());
  }

  const Vocabulary& vocabulary() const override { return vocabulary_; }

  void tokenize(std::string_view piece, std::vector<TokenId>& ids) override {
    if (const std::vector<TokenId>* known = cache_.find(piece)) {
      ids.insert(ids.end(), known->begin(), known->end());
      return;
    }
    const std::size_t first = ids.size();
    if (character_count(piece) > options_.max_characters || !append_parts(piece, ids)) {
      ids.resize(first);
      ids.push_back(unknown_);
    }
    cache_.add(piece, ids.data() + first, ids.data() + ids.size());
  }

 private:
  static bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

  static std::size_t character_count(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
  }

  /// False when some part is not in the vocabulary.
  bool append_parts(std::string_view word, std::vector<TokenId>& ids) {
    for (std::size_t begin = 0; begin < word.size();) {
      const std::size_t length = append_longest(word.substr(begin), begin > 0, ids);
      if (length == 0) return false;
      begin += length;
    }
    return true;
  }

  /// Appends the longest token that the text begins with; its length without the prefix, 0 when there is none.
  std::size_t append_longest(std::string_view text, bool continues, std::vector<TokenId>& ids) {
    key_ = continues ? options_.continuing_prefix : "";
    const std::size_t prefix = key_.size();
    key_ += text.substr(0, longest_);
    std::size_t length = key_.size() - prefix;
    for (; length > 0; --length) {
      if (length < text.size() && !starts_character(text[length])) continue;  // not in the middle of a character
      const auto found = vocabulary_.find(std::string_view(key_).substr(0, prefix + length));
      if (found == vocabulary_.end()) continue;
      ids.push_back(found->second);
      return length;
    }
    return 0;
  }

  Vocabulary vocabulary_;
  WordPieceOptions options_;
  TokenId unknown_ = 0;
  std::size_t longest_ = 0;
  WordCache cache_;
  std::string key_;
};

}  // namespace

std::unique_ptr<TokenModel> make_word_piece(Vocabulary vocabulary, const WordPieceOptions& options) {
  return std::make_unique<WordPiece>(std::move(vocabulary), options);
}

}  // namespace nongemm::data
