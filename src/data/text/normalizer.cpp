#include "data/text/normalizer.h"

#include <utility>

#include "base/error.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const BertNormalizerOptions& options) : options_(options) {}

  std::string normalize(std::string_view text) const override {
    std::string result = options_.clean_text || options_.handle_chinese_chars ? clean(text) : std::string(text);
    if (options_.strip_accents) result = without_accents(result);
    if (options_.lowercase) result = lower(result);
    return result;
  }

 private:
  std::string clean(std::string_view text) const {
    std::string result;
    result.reserve(text.size());
    for (std::size_t position = 0; position < text.size();) {
      const std::size_t begin = position;
      const char32_t c = next_code_point(text, position);
      if (options_.clean_text && is_bert_removed(c)) continue;
      if (options_.clean_text && is_bert_space(c)) {
        result += ' ';
      } else if (options_.handle_chinese_chars && is_bert_chinese(c)) {
        result.append(" ").append(text.substr(begin, position - begin)).append(" ");
      } else {
        result.append(text.substr(begin, position - begin));
      }
    }
    return result;
  }

  static std::string without_accents(std::string_view text) {
    const std::string decomposed = decompose(text);
    std::string result;
    result.reserve(decomposed.size());
    for (std::size_t position = 0; position < decomposed.size();) {
      const std::size_t begin = position;
      if (!is_bert_accent(next_code_point(decomposed, position))) result.append(decomposed, begin, position - begin);
    }
    return result;
  }

  static std::string lower(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t position = 0; position < text.size();) append_lower_case(result, next_code_point(text, position));
    return result;
  }

  BertNormalizerOptions options_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string normalize(std::string_view text) const override {
    return text.empty() ? std::string() : prefix_ + std::string(text);
  }

 private:
  std::string prefix_;
};

class Replace : public Normalizer {
 public:
  Replace(std::string from, std::string to) : from_(std::move(from)), to_(std::move(to)) {}
  std::string normalize(std::string_view text) const override {
    std::string result;
    std::size_t last = 0;
    for (std::size_t at = text.find(from_); at != std::string_view::npos && !from_.empty();
         at = text.find(from_, last)) {
      result.append(text.substr(last, at - last)).append(to_);
      last = at + from_.size();
    }
    return result.append(text.substr(last));
  }

 private:
  std::string from_;
  std::string to_;
};

class Sequence : public Normalizer {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Normalizer>> parts) : parts_(std::move(parts)) {}
  std::string normalize(std::string_view text) const override {
    // Each step may put several characters in the place of one: without a limit their number would grow exponentially.
    const std::size_t most = 8 * text.size() + 1024;
    std::string result(text);
    for (const auto& part : parts_) {
      result = part->normalize(result);
      if (result.size() > most) throw Error(ErrorKind::kBadInput, "the tokenizer's normalizer makes a text far longer");
    }
    return result;
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

}  // namespace

std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizerOptions& options) {
  return std::make_unique<BertNormalizer>(options);
}

std::unique_ptr<Normalizer> make_prepend(std::string prefix) { return std::make_unique<Prepend>(std::move(prefix)); }

std::unique_ptr<Normalizer> make_replace(std::string from, std::string to) {
  return std::make_unique<Replace>(std::move(from), std::move(to));
}

std::unique_ptr<Normalizer> make_sequence(std::vector<std::unique_ptr<Normalizer>> parts) {
  return std::make_unique<Sequence>(std::move(parts));
}

}  // namespace nongemm::data
