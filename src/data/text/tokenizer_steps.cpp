// The normalizer and pre_tokenizer objects of tokenizer.json: one table line a type.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "data/text/tokenizer_data.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

/// A "pattern" object: {"String": ...} or {"Regex": ...}.
SplitPattern read_pattern(const JsonConfig& config) {
  const JsonConfig pattern(config, "pattern", config.need("pattern"));
  if (pattern.find("String") != nullptr) return SplitPattern::literal(pattern.text("String"));
  if (pattern.find("Regex") == nullptr) config.refuse("pattern", "has neither String nor Regex");
  try {
    return SplitPattern::regex(pattern.text("Regex"));
  } catch (const Error& error) {
    config.refuse("pattern", error.what());
  }
}

std::unique_ptr<Normalizer> read_bert_normalizer(const JsonConfig& config, int) {
  BertNormalizerOptions options;
  options.clean_text = config.flag("clean_text", true);
  options.handle_chinese_chars = config.flag("handle_chinese_chars", true);
  options.lowercase = config.flag("lowercase", true);
  options.strip_accents = config.flag("strip_accents", options.lowercase);
  return make_bert_normalizer(options);
}

/// What a step puts in again and again: with long ones a text would grow without bounds.
std::string short_text(const JsonConfig& config, std::string_view key, std::string_view otherwise = "") {
  constexpr std::size_t kMostBytes = 16;
  std::string text = config.text(key, otherwise);
  if (text.size() > kMostBytes) config.refuse(key, fmt::format("has more than {} bytes", kMostBytes));
  return text;
}

std::unique_ptr<Normalizer> read_prepend(const JsonConfig& config, int) {
  return make_prepend(short_text(config, "prepend"));
}

std::unique_ptr<Normalizer> read_replace(const JsonConfig& config, int) {
  const JsonConfig pattern(config, "pattern", config.need("pattern"));
  if (pattern.find("String") == nullptr) config.refuse("pattern", "has to be a String");
  return make_replace(pattern.text("String"), short_text(config, "content"));
}

std::unique_ptr<PreTokenizer> read_byte_level(const JsonConfig& config, int) {
  return make_byte_level(config.flag("add_prefix_space", true), config.flag("use_regex", true));
}

std::unique_ptr<PreTokenizer> read_split(const JsonConfig& config, int) {
  struct Named {
    std::string_view name;
    SplitBehavior behavior;
  };
  constexpr Named kBehaviors[] = {{"Removed", SplitBehavior::kRemoved},
                                  {"Isolated", SplitBehavior::kIsolated},
                                  {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
                                  {"MergedWithNext", SplitBehavior::kMergedWithNext},
                                  {"Contiguous", SplitBehavior::kContiguous}};
  const std::string name = config.text("behavior");
  for (const Named& named : kBehaviors) {
    if (named.name == name) return make_split(read_pattern(config), named.behavior, config.flag("invert", false));
  }
  config.refuse("behavior", "is unknown");
}

std::unique_ptr<PreTokenizer> read_bert_pre_tokenizer(const JsonConfig&, int) { return make_bert_pre_tokenizer(); }

std::unique_ptr<PreTokenizer> read_metaspace(const JsonConfig& config, int) {
  const std::string name = config.text("prepend_scheme", config.flag("add_prefix_space", true) ? "always" : "never");
  const auto scheme = name == "always"  ? PrependScheme::kAlways
                      : name == "first" ? PrependScheme::kFirst
                                        : PrependScheme::kNever;
  if (scheme == PrependScheme::kNever && name != "never") config.refuse("prepend_scheme", "is unknown");
  const std::string replacement = config.text("replacement", kSpaceMark);
  if (replacement.empty() || utf8_length(replacement[0]) != replacement.size()) {
    config.refuse("replacement", "has to be one character");
  }
  return make_metaspace(replacement, scheme, config.flag("split", true));
}

/// The steps in `key`, each read by `read`.
template <typename Step>
std::unique_ptr<Step> read_steps(const JsonConfig& config, std::string_view key, int depth,
                                 std::unique_ptr<Step> (*read)(const JsonConfig&, int)) {
  if (depth >= kMaxDepth) config.refuse(key, "is nested too deeply");
  const Json& values = config.need(key);
  if (!values.is_array()) config.refuse(key, "has to be a list");
  constexpr std::size_t kMostSteps = 64;
  if (values.size() > kMostSteps) config.refuse(key, fmt::format("has more than {} steps", kMostSteps));
  std::vector<std::unique_ptr<Step>> steps;
  for (std::size_t i = 0; i < values.size(); ++i) {
    steps.push_back(read(JsonConfig(config, fmt::format("{}[{}]", key, i), values[i]), depth + 1));
  }
  return make_sequence(std::move(steps));
}

std::unique_ptr<Normalizer> read_normalizers(const JsonConfig& config, int depth) {
  return read_steps(config, "normalizers", depth, read_normalizer);
}

std::unique_ptr<PreTokenizer> read_pre_tokenizers(const JsonConfig& config, int depth) {
  return read_steps(config, "pretokenizers", depth, read_pre_tokenizer);
}

template <typename Step>
struct Reader {
  std::string_view type;
  std::unique_ptr<Step> (*read)(const JsonConfig&, int depth);
};

constexpr Reader<Normalizer> kNormalizers[] = {
    {"BertNormalizer", read_bert_normalizer},
    {"Prepend", read_prepend},
    {"Replace", read_replace},
    {"Sequence", read_normalizers},
};

constexpr Reader<PreTokenizer> kPreTokenizers[] = {
    {"BertPreTokenizer", read_bert_pre_tokenizer},
    {"ByteLevel", read_byte_level},
    {"Metaspace", read_metaspace},
    {"Sequence", read_pre_tokenizers},
    {"Split", read_split},
};

template <typename Step, std::size_t kCount>
std::unique_ptr<Step> read_step(const Reader<Step> (&readers)[kCount], std::string_view kind, const JsonConfig& config,
                                int depth) {
  const std::string type = config.text("type");
  for (const Reader<Step>& reader : readers) {
    if (reader.type == type) return reader.read(config, depth);
  }
  refuse_type(config, kind, type);
}

}  // namespace

std::unique_ptr<Normalizer> read_normalizer(const JsonConfig& config, int depth) {
  return read_step(kNormalizers, "normalizer", config, depth);
}

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonConfig& config, int depth) {
  return read_step(kPreTokenizers, "pre-tokenizer", config, depth);
}

}  // namespace nongemm::data
