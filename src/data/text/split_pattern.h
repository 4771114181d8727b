// Where a text is split: a literal, or a regular expression written for the tokenizers library (Oniguruma syntax).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace nongemm::data {

class SplitPattern {
 public:
  static SplitPattern literal(std::string text);
  /// Compiled by PCRE2 in UTF mode, with \p{L}, \p{N} and \s widened to what the library's engine matches.
  /// Throws Error(kBadInput) naming the expression.
  static SplitPattern regex(const std::string& expression);

  /// Calls on_match(begin, end) for each match in order, empty ones left out.
  /// Throws Error(kBadInput) when a match needs more backtracking than the limit.
  void for_each_match(std::string_view text, const std::function<void(std::size_t, std::size_t)>& on_match) const;

 private:
  struct Compiled;

  std::string literal_;
  std::shared_ptr<const Compiled> compiled_;  // none: literal
};

/// What happens to the matches: SplitDelimiterBehavior of the library.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

/// Calls on_piece for each piece in order, empty ones left out. `invert`: what does not match is the delimiter.
void split_text(std::string_view text, const SplitPattern& pattern, SplitBehavior behavior, bool invert,
                const std::function<void(std::string_view)>& on_piece);

}  // namespace nongemm::data
