#include "traces/common/json_scanner.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace nongemm::traces {
namespace {

/// Characters that mean something between the strings of a container.
constexpr std::array<bool, 256> kStructural = [] {
  std::array<bool, 256> table{};
  for (const char c : {'"', '{', '}', '[', ']', '\0'}) table[static_cast<unsigned char>(c)] = true;
  return table;
}();

constexpr std::uint32_t kAll = 0xFFFF;

/// Of 16 bytes, those in a string: from an opening mark to before the closing one.
/// @param inside kAll when a string is open before them, else 0; set for those behind
std::uint32_t in_strings(std::uint32_t marks, std::uint32_t& inside) {
  for (const unsigned step : {1U, 2U, 4U, 8U}) marks ^= marks << step;
  const std::uint32_t within = (marks ^ inside) & kAll;
  inside = (within & (1U << 15U)) != 0 ? kAll : 0;
  return within;
}

/// What no number and no word has.
std::uint32_t foreign(const Bytes& bytes) {
  const Bytes letter = (bytes | 0x20) - 'a';
  const Bytes digit = bytes - '0';
  return bits_of((letter >= 26) & (digit >= 10) & (bytes != '-') & (bytes != '+') & (bytes != '.'));
}

/// No string is longer that lacks its escapes.
constexpr std::ptrdiff_t kLongestMended = 65536;

/// One object ends and another begins: a string that reaches so far has lost its end.
bool holds_boundary(std::string_view inside) {
  const auto next = [&](std::size_t at) { return std::min(inside.find_first_not_of(" \n\r\t", at), inside.size()); };
  for (std::size_t at = inside.find('}'); at != std::string_view::npos; at = inside.find('}', at + 1)) {
    std::size_t behind = next(at + 1);
    if (behind == inside.size() || inside[behind] != ',') continue;
    behind = next(behind + 1);
    if (behind == inside.size() || inside[behind] != '{') continue;
    behind = next(behind + 1);
    if (behind < inside.size() && inside[behind] == '"') return true;
  }
  return false;
}

void append_utf8(std::uint32_t point, std::string& to) {
  if (point < 0x80) {
    to += static_cast<char>(point);
  } else if (point < 0x800) {
    to += static_cast<char>(0xC0U | (point >> 6U));
    to += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    to += static_cast<char>(0xE0U | (point >> 12U));
    to += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    to += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    to += static_cast<char>(0xF0U | (point >> 18U));
    to += static_cast<char>(0x80U | ((point >> 12U) & 0x3FU));
    to += static_cast<char>(0x80U | ((point >> 6U) & 0x3FU));
    to += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

/// Four hexadecimal digits at the begin of `text`; UINT32_MAX when they are not there.
std::uint32_t hex4(std::string_view text) {
  std::uint32_t value = 0;
  if (text.size() < 4) return UINT32_MAX;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 4, value, 16);
  return error == std::errc() && end == text.data() + 4 ? value : UINT32_MAX;
}

/// What stands behind "\u", surrogates put together. Gives how many characters it took; 0 when it is nothing.
std::size_t append_point(std::string_view text, std::string& to) {
  constexpr std::uint32_t kHigh = 0xD800;
  constexpr std::uint32_t kLow = 0xDC00;
  const std::uint32_t first = hex4(text);
  if (first == UINT32_MAX) return 0;
  if (first < kHigh || first >= 0xE000) {
    append_utf8(first, to);
    return 4;
  }
  const std::uint32_t second = text.size() >= 10 && text.substr(4, 2) == "\\u" ? hex4(text.substr(6)) : UINT32_MAX;
  if (first >= kLow || second < kLow || second >= 0xE000) {
    append_utf8(0xFFFD, to);  // half a character
    return 4;
  }
  append_utf8(0x10000 + ((first - kHigh) << 10U) + (second - kLow), to);
  return 10;
}

}  // namespace

const char* JsonScanner::quote_from(const char* at) {
  for (;;) {
    const std::uint32_t special = specials(bytes_at(at));
    if (special == 0) {
      at += sizeof(Bytes);
      if (at >= end_) return missing(at);
      continue;
    }
    at += __builtin_ctz(special);
    if (at >= end_) return missing(at);
    if (*at == '"') return at;
    if (*at == '\\') {
      at += 2;
      if (at > end_) return missing(at);
    } else {
      mended_ = true;  // a raw control character
      ++at;
    }
  }
}

bool JsonScanner::ends_here(const char* behind, Place place) {
  const char* next = space(behind);
  if (next >= end_) {
    short_ = true;
    return false;
  }
  if (place == Place::kNested && *next == ':') return true;
  if (*next == '}' || *next == ']') return true;
  if (*next != ',') return false;
  if (place == Place::kNested) return true;
  // Another member has to follow.
  next = space(next + 1);
  if (*next == '}') return true;
  if (*next != '"') return missing(next) != nullptr;
  const char* close = quote_from(next + 1);
  return close != nullptr && *space(close + 1) == ':';
}

const char* JsonScanner::long_string(const char* at, std::string_view& inside, Place place) {
  const char* begin = at + 1;
  const char* close = quote_from(begin);
  // Keys are the writer's own and right.
  const bool lenient = lenient_ && place != Place::kKey;
  while (lenient && close != nullptr && !ends_here(close + 1, place)) {
    if (short_ || close - begin > kLongestMended) return nullptr;
    close = quote_from(close + 1);
  }
  if (close == nullptr) return nullptr;
  inside = std::string_view(begin, static_cast<std::size_t>(close - begin));
  if (lenient && holds_boundary(inside)) return nullptr;
  return close + 1;
}

/// Whose strings are read one by one: some have escapes, or faults, or the text ends.
const char* JsonScanner::odd_container(const char* at) {
  int depth = 0;
  for (;;) {
    while (!kStructural[static_cast<unsigned char>(*at)]) ++at;
    switch (*at) {
      case '"': {
        std::string_view inside;
        const char* behind = string(at, inside, Place::kNested);
        if (behind == nullptr) return nullptr;
        at = behind;
        break;
      }
      case '{':
      case '[':
        ++depth;
        ++at;
        break;
      case '\0':
        return missing(at);
      default:
        ++at;
        if (--depth == 0) return at;
    }
  }
}

const char* JsonScanner::container(const char* at) {
  if (lenient_) return odd_container(at);
  const char* const begin = at;
  int depth = 0;
  std::uint32_t inside = 0;
  for (;; at += sizeof(Bytes)) {
    const Bytes bytes = bytes_at(at);
    const std::uint32_t within = in_strings(bits_of(bytes == '"'), inside);
    const std::uint32_t odd = bits_of((bytes < 0x20) | (bytes == '\\')) & within;
    if (odd != 0 || bits_of(bytes == 0) != 0) return odd_container(begin);
    const Bytes braced = bytes | 0x20;  // brackets are braces without a bit
    for (std::uint32_t marks = bits_of((braced == '{') | (braced == '}')) & ~within; marks != 0; marks &= marks - 1) {
      const char* const mark = at + __builtin_ctz(marks);
      depth += (*mark & 2) != 0 ? 1 : -1;  // '[' and '{' against ']' and '}'
      if (depth == 0) return mark + 1;
    }
  }
}

const char* JsonScanner::scalar(const char* at) {
  const char* begin = at;
  std::uint32_t end = foreign(bytes_at(at));
  while (end == 0 && at < end_) {
    at += sizeof(Bytes);
    end = foreign(bytes_at(at));
  }
  if (end != 0) at += __builtin_ctz(end);
  if (at >= end_ || at == begin) return missing(at);
  const std::size_t size = static_cast<std::size_t>(at - begin);
  const char first = *begin;
  const bool number =
      (first >= '0' && first <= '9') || (first == '-' && size > 1 && begin[1] >= '0' && begin[1] <= '9');
  if (number) return at;
  const std::string_view word(begin, size);
  if (word != "true" && word != "false" && word != "null") mended_ = true;  // NaN, inf and their like
  return at;
}

const char* JsonScanner::other_value(const char* at, std::string_view& raw) {
  const char* behind = *at == '{' || *at == '[' ? container(at) : scalar(at);
  if (behind != nullptr) raw = std::string_view(at, static_cast<std::size_t>(behind - at));
  return behind;
}

std::string unescaped(std::string_view inside, bool& odd) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
  std::string text;
  text.reserve(inside.size());
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\' || i + 1 == inside.size()) {
      text += inside[i];
      continue;
    }
    const char letter = inside[i + 1];
    if (const std::size_t known = kLetters.find(letter); known != std::string_view::npos) {
      text += kMeant[known];
      ++i;
    } else if (const std::size_t taken = letter == 'u' ? append_point(inside.substr(i + 2), text) : 0; taken > 0) {
      i += 1 + taken;
    } else {
      text += '\\';
      odd = true;
    }
  }
  return text;
}

std::int64_t integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : INT64_MIN;
}

std::int64_t nanoseconds_of(std::string_view microseconds) {
  constexpr std::int64_t kMost = INT64_MAX / 4;  // sums stay in range
  const char* at = microseconds.data();
  const char* const end = at + microseconds.size();
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  std::int64_t value = 0;
  const char* const digits = at;
  while (at != end && *at >= '0' && *at <= '9' && value < kMost / 10) value = value * 10 + (*at++ - '0');
  bool plain = at != digits && value < kMost / 1000;
  if (plain) value *= 1000;
  if (plain && at != end && *at == '.') {
    ++at;
    int factor = 100;
    while (at != end && *at >= '0' && *at <= '9' && factor > 0) {
      value += std::int64_t{*at++ - '0'} * factor;
      factor /= 10;
    }
    if (at != end && *at >= '5' && *at <= '9') ++value;
    while (at != end && *at >= '0' && *at <= '9') ++at;
  }
  if (plain && at == end) return negative ? -value : value;
  // Exponents and the like.
  double number = 0;
  const auto [rest, error] = std::from_chars(microseconds.data(), end, number);
  number *= 1e3;
  if (error != std::errc() || rest != end || !(std::abs(number) < static_cast<double>(kMost))) return INT64_MIN;
  return std::llround(number);
}

}  // namespace nongemm::traces
