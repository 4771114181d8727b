// What a model made of words it has seen: most words of a text are few different ones.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/text/vocabulary.h"

namespace nongemm::data {

class WordCache {
 public:
  /// nullptr when the word is not known yet.
  const std::vector<TokenId>* find(std::string_view word) const {
    const auto found = words_.find(word);
    return found == words_.end() ? nullptr : &found->second;
  }

  void add(std::string_view word, const TokenId* begin, const TokenId* end) {
    constexpr std::size_t kMaxWords = 1 << 16;
    constexpr std::size_t kMaxBytes = 64;
    if (word.size() <= kMaxBytes && words_.size() < kMaxWords) words_.try_emplace(std::string(word), begin, end);
  }

 private:
  std::unordered_map<std::string, std::vector<TokenId>, TextHash, std::equal_to<>> words_;
};

}  // namespace nongemm::data
