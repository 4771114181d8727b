#include "base/text.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace nongemm {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substitute, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& known) {
  if (known.empty()) return "";
  std::vector<std::pair<std::size_t, const std::string*>> near;
  const std::size_t limit = std::max<std::size_t>(2, wanted.size() / 3);
  for (const std::string& candidate : known) {
    const bool extends = !wanted.empty() && candidate.starts_with(wanted);
    const std::size_t distance = extends ? 1 : edit_distance(wanted, candidate);
    if (distance <= limit) near.emplace_back(distance, &candidate);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string text;
  if (!near.empty()) {
    constexpr std::size_t kMost = 3;
    near.resize(std::min(near.size(), kMost));
    for (std::size_t i = 0; i < near.size(); ++i) {
      text += i == 0 ? "did you mean '" : i + 1 == near.size() ? "' or '" : "', '";
      text += *near[i].second;
    }
    return text + "'?";
  }
  constexpr std::size_t kMostKnown = 30;
  for (std::size_t i = 0; i < std::min(known.size(), kMostKnown); ++i) text += (i == 0 ? "known: " : ", ") + known[i];
  return known.size() > kMostKnown ? text + ", ..." : text;
}

namespace {

/// Whether it begins with a character that ends a line, or turns what is written behind it around: U+2028 to U+202E and
/// U+2066 to U+2069. Who reads a terminal could be made to read something else than what stands there.
bool steers_lines(std::string_view text) {
  if (text.size() < 3 || text[0] != '\xE2') return false;
  const auto third = static_cast<unsigned char>(text[2]);
  return (text[1] == '\x80' && third >= 0xA8 && third <= 0xAE) || (text[1] == '\x81' && third >= 0xA6 && third <= 0xA9);
}

}  // namespace

std::string without_controls(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < ' ' && text[i] != '\n' && text[i] != '\t') || byte == 0x7F) text[i] = '?';
    // U+0080 to U+009F: terminals take some of them for the beginning of an escape code.
    const bool high = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (high) text.replace(i, 2, "?");
    if (steers_lines(std::string_view(text).substr(i))) text.replace(i, 3, "?");
  }
  return text;
}

std::string on_one_line(std::string text) {
  text = without_controls(std::move(text));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return text;
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=./:,@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') word += "'\\'";
    word += c;
  }
  return word + "'";
}

bool matches_glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;  // the last star passed, and how far it reaches in the name
  std::size_t reached = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      reached = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++reached;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace nongemm
