#include "data/text/pre_tokenizer.h"

#include <array>
#include <utility>

#include "data/text/unicode.h"

namespace nongemm::data {
/// Printable Latin-1 stays, the other bytes go to U+0100 and on, in order.
std::array<std::string, 256> byte_characters() {
  std::array<std::string, 256> characters;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    append_utf8(characters[byte], printable ? byte : next++);
  }
  return characters;
}

namespace {

constexpr const char* kGpt2Expression = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

class ByteLevel : public PreTokenizer {
 public:
  ByteLevel(bool add_prefix_space, bool use_regex)
      : add_prefix_space_(add_prefix_space),
        use_regex_(use_regex),
        expression_(SplitPattern::regex(kGpt2Expression)),
        characters_(byte_characters()) {}

  void split(const Piece& piece, const PieceSink& sink) override {
    std::string_view text = piece.text;
    std::string prefixed;
    if (add_prefix_space_ && !text.starts_with(' ') && !text.empty()) {
      prefixed = " " + std::string(text);
      text = prefixed;
    }
    bool at_start = piece.at_start;
    const auto emit = [&](std::string_view part) {
      mapped_.clear();
      for (char c : part) mapped_ += characters_[static_cast<unsigned char>(c)];
      sink({mapped_, std::exchange(at_start, false)});
    };
    if (!use_regex_) return emit(text);
    split_text(text, expression_, SplitBehavior::kIsolated, false, emit);
  }

 private:
  bool add_prefix_space_;
  bool use_regex_;
  SplitPattern expression_;
  std::array<std::string, 256> characters_;
  std::string mapped_;
};

class Split : public PreTokenizer {
 public:
  Split(SplitPattern pattern, SplitBehavior behavior, bool invert)
      : pattern_(std::move(pattern)), behavior_(behavior), invert_(invert) {}

  void split(const Piece& piece, const PieceSink& sink) override {
    split_text(piece.text, pattern_, behavior_, invert_, [&](std::string_view part) {
      sink({part, piece.at_start && part.data() == piece.text.data()});
    });
  }

 private:
  SplitPattern pattern_;
  SplitBehavior behavior_;
  bool invert_;
};

class BertPreTokenizer : public PreTokenizer {
 public:
  void split(const Piece& piece, const PieceSink& sink) override {
    const std::string_view text = piece.text;
    std::size_t word = 0;  // where the current word began
    const auto emit = [&](std::size_t begin, std::size_t end) {
      if (begin < end) sink({text.substr(begin, end - begin), piece.at_start && begin == 0});
    };
    for (std::size_t position = 0; position < text.size();) {
      const std::size_t begin = position;
      const char32_t c = next_code_point(text, position);
      const bool punctuation = is_bert_punctuation(c);
      if (!punctuation && !is_whitespace(c)) continue;
      emit(word, begin);
      if (punctuation) emit(begin, position);
      word = position;
    }
    emit(word, text.size());
  }
};

class Metaspace : public PreTokenizer {
 public:
  Metaspace(std::string replacement, PrependScheme scheme, bool split)
      : replacement_(replacement), scheme_(scheme), split_(split), pattern_(SplitPattern::literal(replacement)) {}

  void split(const Piece& piece, const PieceSink& sink) override {
    if (piece.text.empty()) return;
    std::string text;
    text.reserve(piece.text.size() + replacement_.size());
    for (char c : piece.text) c == ' ' ? text += replacement_ : text += c;
    const bool prepends = scheme_ == PrependScheme::kAlways || (scheme_ == PrependScheme::kFirst && piece.at_start);
    if (prepends && !text.starts_with(replacement_)) text.insert(0, replacement_);
    if (!split_) return sink({text, piece.at_start});
    split_text(text, pattern_, SplitBehavior::kMergedWithNext, false, [&](std::string_view part) {
      sink({part, piece.at_start && part.data() == text.data()});
    });
  }

 private:
  std::string replacement_;
  PrependScheme scheme_;
  bool split_;
  SplitPattern pattern_;
};

class Sequence : public PreTokenizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<PreTokenizer>> parts) : parts_(std::move(parts)) {}

  void split(const Piece& piece, const PieceSink& sink) override { split_from(0, piece, sink); }

 private:
  void split_from(std::size_t index, const Piece& piece, const PieceSink& sink) {
    if (index == parts_.size()) return sink(piece);
    parts_[index]->split(piece, [&](const Piece& part) { split_from(index + 1, part, sink); });
  }

  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level(bool add_prefix_space, bool use_regex) {
  return std::make_unique<ByteLevel>(add_prefix_space, use_regex);
}

std::unique_ptr<PreTokenizer> make_split(SplitPattern pattern, SplitBehavior behavior, bool invert) {
  return std::make_unique<Split>(std::move(pattern), behavior, invert);
}

std::unique_ptr<PreTokenizer> make_bert_pre_tokenizer() { return std::make_unique<BertPreTokenizer>(); }

std::unique_ptr<PreTokenizer> make_metaspace(std::string replacement, PrependScheme scheme, bool split) {
  return std::make_unique<Metaspace>(std::move(replacement), scheme, split);
}

std::unique_ptr<PreTokenizer> make_sequence(std::vector<std::unique_ptr<PreTokenizer>> parts) {
  return std::make_unique<Sequence>(std::move(parts));
}

}  // namespace nongemm::data
