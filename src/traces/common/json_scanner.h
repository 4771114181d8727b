// Finds the pieces of JSON text in memory, without making values of them: fast on what is right, and able to tell what
// writers of traces are known to get wrong.
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace nongemm::traces {

/// Characters side by side: compilers make single instructions of operations on all of them, whatever the processor.
using Bytes = unsigned char __attribute__((vector_size(16)));

inline Bytes bytes_at(const char* at) {
  Bytes bytes;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

/// Of a comparison of bytes a bit for each, the first one lowest.
template <typename Mask>
std::uint32_t bits_of(const Mask& mask) {
  static_assert(sizeof(Mask) == sizeof(Bytes));
#ifdef __SSE2__
  return static_cast<std::uint32_t>(_mm_movemask_epi8(reinterpret_cast<__m128i>(mask)));
#else
  std::array<std::uint64_t, 2> words;
  std::memcpy(words.data(), &mask, sizeof words);
  const auto bits = [](std::uint64_t word) { return ((word & 0x0101010101010101U) * 0x0102040810204080U) >> 56U; };
  return static_cast<std::uint32_t>(bits(words[0]) | (bits(words[1]) << 8U));
#endif
}

/// What ends a run of plain characters in a string: a mark, a backslash, a control character.
inline std::uint32_t specials(const Bytes& bytes) { return bits_of((bytes == '"') | (bytes == '\\') | (bytes < 0x20)); }

/// All functions take a place in the text and give the place behind what they read; nullptr when it is not there. The
/// text ends with a zero byte that does not belong to it, and kPadding bytes behind it can be read.
class JsonScanner {
 public:
  static constexpr std::size_t kPadding = 32;

  /// Where a string stands decides what may follow it.
  enum class Place : std::uint8_t { kKey, kMember, kNested };

  void set_end(const char* end) { end_ = end; }
  const char* end() const { return end_; }
  /// Before each attempt. Lenient: a quotation mark that nothing sensible follows belongs to the string.
  void begin(bool lenient) {
    lenient_ = lenient;
    mended_ = lenient;
    short_ = false;
  }
  /// The text ended before what was to be read did.
  bool is_short() const { return short_; }
  /// What was read is no JSON, but clear enough.
  bool mended() const { return mended_; }
  void mend() { mended_ = true; }

  const char* space(const char* at) const {
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t') ++at;
    return at;
  }
  /// @param at an opening quotation mark
  /// @param inside what lies between the marks, escapes as they are
  const char* string(const char* at, std::string_view& inside, Place place) {
    // Most strings are plain and short.
    const std::uint32_t special = specials(bytes_at(at + 1));
    const char* close = at + 1 + (special == 0 ? 0 : __builtin_ctz(special));
    if (lenient_ || *close != '"' || close >= end_) return long_string(at, inside, place);
    inside = std::string_view(at + 1, static_cast<std::size_t>(close - at - 1));
    return close + 1;
  }
  /// A value of any kind.
  /// @param raw its text; of a string what lies between the marks
  const char* value(const char* at, std::string_view& raw, Place place) {
    return *at == '"' ? string(at, raw, place) : other_value(at, raw);
  }
  /// nullptr, and whether it was for want of text.
  const char* missing(const char* at) {
    short_ = short_ || at >= end_;
    return nullptr;
  }

 private:
  const char* long_string(const char* at, std::string_view& inside, Place place);
  const char* other_value(const char* at, std::string_view& raw);
  const char* quote_from(const char* at);
  bool ends_here(const char* behind, Place place);
  const char* container(const char* at);
  const char* odd_container(const char* at);
  const char* scalar(const char* at);

  const char* end_ = nullptr;
  bool lenient_ = false;
  bool mended_ = false;
  bool short_ = false;
};

/// The characters that the escapes of a string stand for; escapes that JSON does not have stay as they are.
/// @param odd is set when there were such
std::string unescaped(std::string_view inside, bool& odd);

/// "4466471334539.392" microseconds in ns, exact; INT64_MIN when it is no number, or not one of a time.
std::int64_t nanoseconds_of(std::string_view microseconds);
/// INT64_MIN when it is no integer.
std::int64_t integer_of(std::string_view text);

}  // namespace nongemm::traces
