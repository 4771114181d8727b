#include "data/text/unicode.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

namespace nongemm::data {
namespace {

#include "data/text/unicode_tables.inc"

bool contains(std::span<const CodePointRange> ranges, char32_t c) {
  const auto* after = std::upper_bound(ranges.data(), ranges.data() + ranges.size(), c,
                                       [](char32_t value, const CodePointRange& range) { return value < range.first; });
  return after != ranges.data() && c <= after[-1].last;
}

/// The second byte may be limited by the first one (Unicode, table 3-7).
struct Lead {
  int length;  // 0: no character starts like this
  unsigned char low;
  unsigned char high;
};

Lead lead_of(unsigned char first) {
  if (first < 0x80) return {1, 0x80, 0xBF};
  if (first < 0xC2) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first < 0xF0) {
    return {3, static_cast<unsigned char>(first == 0xE0 ? 0xA0 : 0x80),
            static_cast<unsigned char>(first == 0xED ? 0x9F : 0xBF)};
  }
  if (first < 0xF5) {
    return {4, static_cast<unsigned char>(first == 0xF0 ? 0x90 : 0x80),
            static_cast<unsigned char>(first == 0xF4 ? 0x8F : 0xBF)};
  }
  return {0, 0, 0};
}

/// Length of the valid beginning of a character; `whole` tells whether that is all of it.
std::size_t valid_length(std::string_view bytes, bool& whole) {
  const Lead lead = lead_of(static_cast<unsigned char>(bytes[0]));
  whole = lead.length == 1;
  if (lead.length <= 1) return 1;
  std::size_t length = 1;
  for (; length < static_cast<std::size_t>(lead.length) && length < bytes.size(); ++length) {
    const auto byte = static_cast<unsigned char>(bytes[length]);
    if (byte < (length == 1 ? lead.low : 0x80) || byte > (length == 1 ? lead.high : 0xBF)) break;
  }
  whole = length == static_cast<std::size_t>(lead.length);
  return length;
}

std::string pcre_ranges(std::span<const CodePointRange> ranges) {
  std::string text;
  for (const auto& [first, last] : ranges) {
    text += fmt::format("\\x{{{:x}}}-\\x{{{:x}}}", static_cast<unsigned>(first), static_cast<unsigned>(last));
  }
  return text;
}

struct Mark {
  char32_t c;
  int combining_class;
};

int combining_class(char32_t c) {
  if (c < 0x300 || !contains(kReordered, c)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

}  // namespace

std::string sanitize_utf8(std::string_view bytes, std::size_t& replaced) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    bool whole = false;
    const std::size_t length = valid_length(bytes, whole);
    if (whole) {
      text.append(bytes.substr(0, length));
    } else {
      text += "\xEF\xBF\xBD";
      ++replaced;
    }
    bytes.remove_prefix(length);
  }
  return text;
}

char32_t next_code_point(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
  const std::size_t length = std::min(utf8_length(text[position]), text.size() - position);
  char32_t c = byte(0);
  if (length == 2) c = static_cast<char32_t>((byte(0) & 0x1F) << 6 | (byte(1) & 0x3F));
  if (length == 3) c = static_cast<char32_t>((byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F));
  if (length == 4) {
    c = static_cast<char32_t>((byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 |
                              (byte(3) & 0x3F));
  }
  position += length;
  return c;
}

void append_utf8(std::string& text, char32_t code_point) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code_point), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

bool is_whitespace(char32_t c) { return contains(kWhitespace, c); }
bool is_bert_removed(char32_t c) { return contains(kBertRemoved, c); }
bool is_bert_space(char32_t c) { return contains(kBertSpace, c); }
bool is_bert_chinese(char32_t c) { return c >= 0x3400 && contains(kBertChinese, c); }
bool is_bert_punctuation(char32_t c) { return contains(kBertPunctuation, c); }
bool is_bert_accent(char32_t c) { return c >= 0x300 && contains(kBertAccents, c); }

bool is_word_character(char32_t c) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return c == 0x200C || c == 0x200D || contains(kMoreWordCharacters, c);  // joiners, and newer characters
  }
}

void append_lower_case(std::string& text, char32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return;
  }
  if (c == 0x130) {
    text += "i\xCC\x87";
    return;
  }
  const auto* found = std::lower_bound(std::begin(kNewLowerCase), std::end(kNewLowerCase), c,
                                       [](const CodePointPair& pair, char32_t value) { return pair.from < value; });
  const bool newer = found != std::end(kNewLowerCase) && found->from == c;
  append_utf8(text, newer ? found->to : static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
}

std::string decompose(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  std::vector<Mark> marks;  // of the current starter, in order of their classes
  const auto flush = [&] {
    std::stable_sort(marks.begin(), marks.end(),
                     [](const Mark& a, const Mark& b) { return a.combining_class < b.combining_class; });
    for (const Mark& mark : marks) append_utf8(result, mark.c);
    marks.clear();
  };
  const auto append = [&](char32_t c) {
    const int order = combining_class(c);
    if (order == 0) flush();
    if (order != 0) {
      marks.push_back({c, order});
    } else {
      append_utf8(result, c);
    }
  };
  for (std::size_t position = 0; position < text.size();) {
    const char32_t c = next_code_point(text, position);
    constexpr int kLongest = 32;  // the longest canonical decomposition has four code points
    utf8proc_int32_t parts[kLongest];
    int boundary = 0;
    const auto count =
        c < 0xC0 || contains(kNotDecomposed, c)
            ? 0
            : utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, kLongest, UTF8PROC_DECOMPOSE, &boundary);
    if (count <= 0) append(c);
    for (utf8proc_ssize_t i = 0; i < count; ++i) append(static_cast<char32_t>(parts[i]));
  }
  flush();
  return result;
}

const std::string& pcre_new_letters() {
  static const std::string kText = pcre_ranges(kNewLetters);
  return kText;
}

const std::string& pcre_new_numbers() {
  static const std::string kText = pcre_ranges(kNewNumbers);
  return kText;
}

const std::string& pcre_whitespace() {
  static const std::string kText = pcre_ranges(kWhitespace);
  return kText;
}

}  // namespace nongemm::data
