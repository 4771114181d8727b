#include "weights/name_rules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace nongemm::weights {
namespace {

struct PieceMatch {
  std::size_t length = 0;
  std::vector<std::string_view> captures;
};

/// `piece` at the very beginning of `text`. A star takes all up to the next dot: what follows it in a piece begins with
/// one, or the piece ends.
std::optional<PieceMatch> match_piece(std::string_view piece, std::string_view text) {
  PieceMatch match;
  for (char c : piece) {
    if (c == '*') {
      const std::size_t end = std::min(text.find('.', match.length), text.size());
      match.captures.push_back(text.substr(match.length, end - match.length));
      match.length = end;
    } else if (match.length < text.size() && text[match.length] == c) {
      ++match.length;
    } else {
      return std::nullopt;
    }
  }
  return match;
}

std::string fill_in(std::string_view piece, const std::vector<std::string_view>& captures) {
  std::string text;
  std::size_t used = 0;
  for (char c : piece) {
    if (c != '*') {
      text += c;
    } else if (used < captures.size()) {
      text += captures[used++];
    }
  }
  return text;
}

}  // namespace

std::string rename_piece(std::string_view name, std::string_view old_piece, std::string_view new_piece) {
  const bool anchored = old_piece.starts_with('^');
  if (anchored) old_piece.remove_prefix(1);
  const std::size_t last_start = anchored ? 0 : name.size();
  for (std::size_t start = 0; start <= last_start && start < name.size(); ++start) {
    const std::optional<PieceMatch> match = match_piece(old_piece, name.substr(start));
    if (!match) continue;
    std::string renamed(name.substr(0, start));
    renamed += fill_in(new_piece, match->captures);
    renamed += name.substr(start + match->length);
    return renamed;
  }
  return std::string(name);
}

std::string apply_renames(std::string_view name, const CheckpointRules& rules) {
  using Rename = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Rename, 2> kLegacy = {Rename{"LayerNorm.gamma", "LayerNorm.weight"},
                                             Rename{"LayerNorm.beta", "LayerNorm.bias"}};
  std::string renamed(name);
  for (const auto& [old_piece, new_piece] : kLegacy) renamed = rename_piece(renamed, old_piece, new_piece);
  for (const auto& [old_piece, new_piece] : rules.renames) renamed = rename_piece(renamed, old_piece, new_piece);
  return renamed;
}

}  // namespace nongemm::weights
