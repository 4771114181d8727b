// Tokens by their text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace nongemm::data {

using TokenId = std::int32_t;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

using Vocabulary = std::unordered_map<std::string, TokenId, TextHash, std::equal_to<>>;

}  // namespace nongemm::data
