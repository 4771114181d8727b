#include "traces/tensorrt/names.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace nongemm::traces {
namespace {

constexpr std::string_view kForeign = "{ForeignNode[";

/// What stands between names, longest first where one begins another.
constexpr std::array<std::string_view, 10> kBetween = {kForeign, "]}", "...", " + ", " || ",
                                                       "PWN(",   ", ", "(",   ")",   "||"};

std::size_t length_of_separator(std::string_view text) {
  const auto* const found =
      std::find_if(kBetween.begin(), kBetween.end(), [&](std::string_view piece) { return text.starts_with(piece); });
  return found == kBetween.end() ? 0 : found->size();
}

void add_trimmed(std::string_view piece, std::vector<std::string>& parts) {
  while (piece.starts_with(' ')) piece.remove_prefix(1);
  while (piece.ends_with(' ')) piece.remove_suffix(1);
  if (!piece.empty()) parts.emplace_back(piece);
}

}  // namespace

ProfiledName split_profile(std::string_view name) {
  constexpr std::string_view kMark = " [profile ";
  const std::size_t mark = name.rfind(kMark);
  if (mark == std::string_view::npos || !name.ends_with(']')) return {std::string(name), 0};
  const char* const begin = name.data() + mark + kMark.size();
  const char* const end = name.data() + name.size() - 1;
  int profile = 0;
  const auto [stop, error] = std::from_chars(begin, end, profile);
  if (error != std::errc() || stop != end || profile < 0) return {std::string(name), 0};
  return {std::string(name.substr(0, mark)), profile};
}

std::vector<std::string> onnx_layers_in(std::string_view metadata) {
  constexpr std::string_view kMark = "[ONNX Layer: ";
  std::vector<std::string> names;
  std::size_t at = metadata.find(kMark);
  while (at != std::string_view::npos) {
    const std::size_t begin = at + kMark.size();
    at = metadata.find(kMark, begin);
    // A name may hold brackets itself: it goes to the last one before a separator or the next name.
    std::string_view piece = metadata.substr(begin, at == std::string_view::npos ? at : at - begin);
    piece = piece.substr(0, piece.find_first_of("\x1e\x1f"));
    names.emplace_back(piece.substr(0, piece.rfind(']')));
  }
  return names;
}

std::vector<std::string> parts_of_name(std::string_view name) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  std::size_t at = 0;
  while (at < name.size()) {
    const std::size_t length = length_of_separator(name.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    add_trimmed(name.substr(begin, at - begin), parts);
    at += length;
    begin = at;
  }
  add_trimmed(name.substr(begin), parts);
  return parts;
}

bool is_foreign_node(std::string_view name) { return name.find(kForeign) != std::string_view::npos; }

}  // namespace nongemm::traces
