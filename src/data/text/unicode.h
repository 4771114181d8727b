// UTF-8 and the character classes of the tokenizers library, on top of utf8proc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nongemm::data {

struct CodePointRange {
  char32_t first;
  char32_t last;
};

struct CodePointPair {
  char32_t from;
  char32_t to;
};

/// The text with every invalid part replaced by U+FFFD, exactly as Python's bytes.decode("utf-8", errors="replace")
/// does (one for each maximal valid beginning of a character). Adds the number of replacements to `replaced`.
std::string sanitize_utf8(std::string_view bytes, std::size_t& replaced);

/// The code point at `position` of valid UTF-8; moves position behind it.
char32_t next_code_point(std::string_view text, std::size_t& position);
/// Bytes of the character that starts with this byte, in valid UTF-8.
inline std::size_t utf8_length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}
void append_utf8(std::string& text, char32_t code_point);

bool is_whitespace(char32_t c);      // \s
bool is_word_character(char32_t c);  // \w: letters, marks, numbers, connectors
bool is_bert_removed(char32_t c);    // control characters
bool is_bert_space(char32_t c);
bool is_bert_chinese(char32_t c);
bool is_bert_punctuation(char32_t c);
bool is_bert_accent(char32_t c);

/// Appends the lower case of a character: one character, or two for U+0130.
void append_lower_case(std::string& text, char32_t c);
/// Canonical decomposition (NFD) of valid UTF-8.
std::string decompose(std::string_view text);

/// What has to be added to a class with \p{L}, \p{N} or \s in a PCRE2 pattern so that it holds what the library's does:
/// "\x{1c89}-\x{1c8a}...". For \s the whole class.
const std::string& pcre_new_letters();
const std::string& pcre_new_numbers();
const std::string& pcre_whitespace();

}  // namespace nongemm::data
