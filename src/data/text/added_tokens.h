// Tokens that are found in the text itself, before the model sees it: <|endoftext|>, [MASK], ...
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/normalizer.h"
#include "data/text/vocabulary.h"

namespace nongemm::data {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool single_word = false;  // only where no word character is beside it
  bool lstrip = false;       // takes the whitespace before it
  bool rstrip = false;       // takes the whitespace behind it
  bool normalized = false;   // looked for after normalisation
};

class AddedTokens {
 public:
  AddedTokens() = default;
  explicit AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) { sort(); }

  /// Calls on_token for each token found (leftmost, longest) and on_text for what is between; both in order. Offsets
  /// are where the text begins.
  void split(std::string_view text, const std::function<void(TokenId)>& on_token,
             const std::function<void(std::string_view text, std::size_t offset)>& on_text) const;

 private:
  void sort();
  const AddedToken* match_at(std::string_view rest) const;

  std::vector<AddedToken> tokens_;  // by first byte, longest first
  /// Tokens that begin with byte b are [starts_[b], starts_[b + 1]).
  std::vector<std::size_t> starts_ = std::vector<std::size_t>(257, 0);
};

}  // namespace nongemm::data
