#include "data/text/unicode.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/text/split_pattern.h"

namespace nongemm::data {
namespace {

struct Case {
  std::string bytes;
  std::string expected;  // of Python's bytes.decode("utf-8", "replace"), R for U+FFFD
};

TEST(Unicode, ReplacesInvalidBytesAsPythonDoes) {
  const Case cases[] = {
      {"plain", "plain"},
      {"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xBC \xE2\x82\xAC \xF0\x9F\x98\x80"},
      {"\x80", "R"},
      {"\xC0\xAF", "RR"},            // overlong
      {"\xE0\x80\x80", "RRR"},       // overlong
      {"\xED\xA0\x80", "RRR"},       // a surrogate
      {"\xF4\x90\x80\x80", "RRRR"},  // above U+10FFFF
      {"\xF5", "R"},
      {"\xE2\x82", "R"},  // cut off: one for the valid beginning
      {"\xE2\x82x", "Rx"},
      {"\xF0\x9F\x98", "R"},
      {"\xF0\x9F\x41", "RA"},
      {"\xC3\xC3\xBC", "R\xC3\xBC"},
  };
  for (const Case& c : cases) {
    std::string expected;
    std::size_t count = 0;
    for (char byte : c.expected) {
      if (byte == 'R') ++count;
      byte == 'R' ? expected += "\xEF\xBF\xBD" : expected += byte;
    }
    std::size_t replaced = 0;
    EXPECT_EQ(sanitize_utf8(c.bytes, replaced), expected);
    EXPECT_EQ(replaced, count);
  }
}

TEST(Unicode, DecodesWhatItEncodes) {
  for (char32_t c : {U'a', U'\u00fc', U'\u20ac', U'\U0001F600', U'\U0010FFFF'}) {
    std::string text;
    append_utf8(text, c);
    std::size_t position = 0;
    EXPECT_EQ(next_code_point(text, position), c);
    EXPECT_EQ(position, text.size());
    EXPECT_EQ(utf8_length(text[0]), text.size());
  }
}

TEST(Unicode, DecomposesAndOrdersMarks) {
  EXPECT_EQ(decompose("\u00c5"), "A\u030a");
  EXPECT_EQ(decompose("\ud55c"), "\u1112\u1161\u11ab");
  EXPECT_EQ(decompose("a\u0315\u0300\u05ae\u0300b"), "a\u05ae\u0300\u0300\u0315b");
}

std::vector<std::string> pieces(const std::string& text, const SplitPattern& pattern, SplitBehavior behavior,
                                bool invert = false) {
  std::vector<std::string> result;
  split_text(text, pattern, behavior, invert, [&](std::string_view piece) { result.emplace_back(piece); });
  return result;
}

TEST(SplitPattern, HasTheLibrarysBehaviors) {
  // The example in the documentation of SplitDelimiterBehavior.
  const std::string text = "the-final--countdown";
  const SplitPattern dash = SplitPattern::literal("-");
  using Pieces = std::vector<std::string>;
  EXPECT_EQ(pieces(text, dash, SplitBehavior::kRemoved), (Pieces{"the", "final", "countdown"}));
  EXPECT_EQ(pieces(text, dash, SplitBehavior::kIsolated), (Pieces{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(pieces(text, dash, SplitBehavior::kMergedWithPrevious), (Pieces{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(pieces(text, dash, SplitBehavior::kMergedWithNext), (Pieces{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(pieces(text, dash, SplitBehavior::kContiguous), (Pieces{"the", "-", "final", "--", "countdown"}));
  EXPECT_EQ(pieces(text, SplitPattern::regex("[a-z]+"), SplitBehavior::kRemoved, true),
            (Pieces{"the", "final", "countdown"}));
}

TEST(SplitPattern, RefusesWhatPcreRefuses) {
  EXPECT_THROW(SplitPattern::regex("(unclosed"), Error);
  EXPECT_THROW(SplitPattern::regex(std::string(100000, 'a')), Error);
}

TEST(SplitPattern, StopsAtTheMatchLimit) {
  const SplitPattern pattern = SplitPattern::regex("(a+)+$");
  EXPECT_THROW(pieces(std::string(64, 'a') + "b", pattern, SplitBehavior::kIsolated), Error);
}

}  // namespace
}  // namespace nongemm::data
