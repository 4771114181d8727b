// Small helpers on text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm {

/// Levenshtein distance.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// "did you mean 'gpt2' or 'gpt2-xl'?", or "known: a, b, c" when nothing is near; empty when `known` is.
std::string did_you_mean(std::string_view wanted, const std::vector<std::string>& known);

/// For terminals, where names come from files: no control characters but new lines and tabs.
std::string without_controls(std::string text);
/// The same without these either.
std::string on_one_line(std::string text);

/// As a shell takes it for one word: in quotes where it needs them.
std::string shell_word(std::string_view text);

/// Whole-name match; `*` stands for any run of characters, dots included: "*.attn.bias".
bool matches_glob(std::string_view pattern, std::string_view name);

}  // namespace nongemm
