// The normalizer and pre_tokenizer objects of tokenizer.json: one table line a type.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "data/text/tokenizer_data.h"
#include "data/text/unicode.h"

namespace nongemm::data {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

/// A "pattern" object: {"String": ...} or {"Regex": ...}.
SplitPattern read_pattern(const JsonObject& config) {
  const JsonObject pattern = config.inner("pattern", config.need("pattern"));
  if (pattern.find("String") != nullptr) return SplitPattern::literal(pattern.text("String", ""));
  if (pattern.find("Regex") == nullptr) config.fail("pattern", "has neither String nor Regex");
  try {
    return SplitPattern::regex(pattern.text("Regex", ""));
  } catch (const Error& error) {
    config.fail("pattern", error.what());
  }
}

std::unique_ptr<Normalizer> read_bert_normalizer(const JsonObject& config, int) {
  BertNormalizerOptions options;
  options.clean_text = config.flag("clean_text", true);
  options.handle_chinese_chars = config.flag("handle_chinese_chars", true);
  options.lowercase = config.flag("lowercase", true);
  options.strip_accents = config.flag("strip_accents", options.lowercase);
  return make_bert_normalizer(options);
}

/// What a step puts in again and again: with long ones a text would grow without bounds.
std::string short_text(const JsonObject& config, std::string_view key, std::string_view otherwise = "") {
  constexpr std::size_t kMostBytes = 16;
  std::string text = config.text(key, otherwise);
  if (text.size() > kMostBytes) config.fail(key, fmt::format("has more than {} bytes", kMostBytes));
  return text;
}

std::unique_ptr<Normalizer> read_prepend(const JsonObject& config, int) {
  return make_prepend(short_text(config, "prepend"));
}

std::unique_ptr<Normalizer> read_replace(const JsonObject& config, int) {
  const JsonObject pattern = config.inner("pattern", config.need("pattern"));
  if (pattern.find("String") == nullptr) config.fail("pattern", "has to be a String");
  return make_replace(pattern.text("String", ""), short_text(config, "content"));
}

std::unique_ptr<PreTokenizer> read_byte_level(const JsonObject& config, int) {
  return make_byte_level(config.flag("add_prefix_space", true), config.flag("use_regex", true));
}

std::unique_ptr<PreTokenizer> read_split(const JsonObject& config, int) {
  struct Named {
    std::string_view name;
    SplitBehavior behavior;
  };
  constexpr Named kBehaviors[] = {{"Removed", SplitBehavior::kRemoved},
                                  {"Isolated", SplitBehavior::kIsolated},
                                  {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
                                  {"MergedWithNext", SplitBehavior::kMergedWithNext},
                                  {"Contiguous", SplitBehavior::kContiguous}};
  const std::string name = config.text("behavior", "");
  for (const Named& named : kBehaviors) {
    if (named.name == name) return make_split(read_pattern(config), named.behavior, config.flag("invert", false));
  }
  config.fail("behavior", "is unknown");
}

std::unique_ptr<PreTokenizer> read_bert_pre_tokenizer(const JsonObject&, int) { return make_bert_pre_tokenizer(); }

std::unique_ptr<PreTokenizer> read_metaspace(const JsonObject& config, int) {
  const std::string name = config.text("prepend_scheme", config.flag("add_prefix_space", true) ? "always" : "never");
  const auto scheme = name == "always"  ? PrependScheme::kAlways
                      : name == "first" ? PrependScheme::kFirst
                                        : PrependScheme::kNever;
  if (scheme == PrependScheme::kNever && name != "never") config.fail("prepend_scheme", "is unknown");
  const std::string replacement = config.text("replacement", kSpaceMark);
  if (replacement.empty() || utf8_length(replacement[0]) != replacement.size()) {
    config.fail("replacement", "has to be one character");
  }
  return make_metaspace(replacement, scheme, config.flag("split", true));
}

/// The steps in `key`, each read by `read`.
template <typename Step>
std::unique_ptr<Step> read_steps(const JsonObject& config, std::string_view key, int depth,
                                 std::unique_ptr<Step> (*read)(const JsonObject&, int)) {
  if (depth >= kMaxDepth) config.fail(key, "is nested too deeply");
  const Json& values = config.need(key);
  if (!values.is_array()) config.fail(key, "has to be a list");
  constexpr std::size_t kMostSteps = 64;
  if (values.size() > kMostSteps) config.fail(key, fmt::format("has more than {} steps", kMostSteps));
  std::vector<std::unique_ptr<Step>> steps;
  for (std::size_t i = 0; i < values.size(); ++i) {
    steps.push_back(read(config.inner(fmt::format("{}[{}]", key, i), values[i]), depth + 1));
  }
  return make_sequence(std::move(steps));
}

std::unique_ptr<Normalizer> read_normalizers(const JsonObject& config, int depth) {
  return read_steps(config, "normalizers", depth, read_normalizer);
}

std::unique_ptr<PreTokenizer> read_pre_tokenizers(const JsonObject& config, int depth) {
  return read_steps(config, "pretokenizers", depth, read_pre_tokenizer);
}

template <typename Step>
struct Reader {
  std::string_view type;
  std::unique_ptr<Step> (*read)(const JsonObject&, int depth);
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
std::unique_ptr<Step> read_step(const Reader<Step> (&readers)[kCount], std::string_view kind, const JsonObject& config,
                                int depth) {
  const std::string type = config.text("type", "");
  for (const Reader<Step>& reader : readers) {
    if (reader.type == type) return reader.read(config, depth);
  }
  refuse_type(config, kind, type);
}

}  // namespace

std::unique_ptr<Normalizer> read_normalizer(const JsonObject& config, int depth) {
  return read_step(kNormalizers, "normalizer", config, depth);
}

std::unique_ptr<PreTokenizer> read_pre_tokenizer(const JsonObject& config, int depth) {
  return read_step(kPreTokenizers, "pre-tokenizer", config, depth);
}

}  // namespace nongemm::data
