// The second step of a tokenizer: a text to the pieces that the model sees one by one.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/split_pattern.h"

namespace nongemm::data {

/// Part of a text on its way to the model.
struct Piece {
  std::string_view text;
  bool at_start = false;  // of the whole text
};

using PieceSink = std::function<void(const Piece&)>;

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  /// Gives the pieces in order. They are valid during the call of `sink` only. Not thread-safe.
  virtual void split(const Piece& piece, const PieceSink& sink) = 0;
};

enum class PrependScheme { kNever, kFirst, kAlways };

/// GPT-2's bytes_to_unicode: the character that stands for each byte.
std::array<std::string, 256> byte_characters();

/// Every byte becomes a printable character; before that, split with GPT-2's expression when `use_regex`.
std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex);
std::unique_ptr<PreTokenizer> make_split(SplitPattern pattern, SplitBehavior behavior, bool invert);
/// At whitespace, and around every punctuation character.
std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer();
/// Spaces become `replacement`, which also comes before the text; pieces begin with it when `split`.
std::unique_ptr<PreTokenizer> make_metaspace(std::string replacement, PrependScheme scheme, bool split);
std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> parts);

}  // namespace nongemm::data
