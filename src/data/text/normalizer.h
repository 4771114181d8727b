// The first step of a tokenizer: one text to another.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::data {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  /// Valid UTF-8 to valid UTF-8.
  virtual std::string normalize(std::string_view text) const = 0;
};

struct BertNormalizerOptions {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool strip_accents = true;
  bool lowercase = true;
};

std::unique_ptr<Normalizer> make_bert_normalizer(const BertNormalizerOptions& options);
/// `prefix` before every text that is not empty.
std::unique_ptr<Normalizer> make_prepend(std::string prefix);
std::unique_ptr<Normalizer> make_replace(std::string from, std::string to);
std::unique_ptr<Normalizer> make_sequence(std::vector<std::unique_ptr<Normalizer>> parts);

}  // namespace nongemm::data
