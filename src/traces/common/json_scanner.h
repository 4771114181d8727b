// Finds the pieces of JSON text in memory, without making values of them: fast on what is right, and able to tell what
// writers of traces are known to get wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nongemm::traces {

/// All functions take a place in the text and give the place behind what they read; nullptr when it is not there. The
/// text ends with a zero byte that does not belong to it, and kPadding bytes behind it can be read.
class JsonScanner {
 public:
  static constexpr std::size_t kPadding = 16;

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
  const char* string(const char* at, std::string_view& inside, Place place);
  /// A value of any kind.
  /// @param raw its text; of a string what lies between the marks
  const char* value(const char* at, std::string_view& raw, Place place);
  /// nullptr, and whether it was for want of text.
  const char* missing(const char* at) {
    short_ = short_ || at >= end_;
    return nullptr;
  }

 private:
  const char* quote_from(const char* at);
  bool ends_here(const char* behind, Place place);
  const char* container(const char* at);
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
