#include "report/token_sections.h"

#include <span>

#include "report/section_fields.h"

namespace nongemm {
namespace {

/// One token of all generations.
struct TokenRow {
  const GenerationRecord* of;
  std::size_t token;
};

const Section<TokenRow>& token_section() {
  using T = TokenRow;
  static const Section<T> section(
      {.id = "tokens",
       .title = "Tokens",
       .doc = "The wall time of each token, over all generations.",
       .report = ReportKind::kNongemm,
       .most_rows = 8,
       .columns = {}},
      {
          {{"token", "Token", Unit::kCount, "its number; the first is the prompt's pass"},
           [](const T& t) { return count(static_cast<std::int64_t>(t.token) + 1); }},
          {{"cached", "Cached", Unit::kCount, "tokens per sample in the cache before it"},
           [](const T& t) { return count(t.token == 0 ? 0 : t.of->prompt + static_cast<std::int64_t>(t.token) - 1); }},
          {{"time", "Time", Unit::kSeconds, "median"},
           [](const T& t) { return quantile_of(at_position(t.of->tokens_s, t.token), 0.5); }},
          {{"time_p90", "p90", Unit::kSeconds, "90th percentile"},
           [](const T& t) { return quantile_of(at_position(t.of->tokens_s, t.token), 0.9); }},
          {{"replayed", "Replayed", Unit::kSeconds, "median with the step as a CUDA graph", true},
           [](const T& t) {
             return t.token == 0 ? FieldValue{} : quantile_of(at_position(t.of->replayed_s, t.token), 0.5);
           }},
      });
  return section;
}

struct SampleText {
  std::int64_t sample;
  const std::string* text;
};

const Section<SampleText>& text_section() {
  using S = SampleText;
  static const Section<S> section(
      {.id = "generated_text",
       .title = "Generated text",
       .doc = "What was generated, or the tokens' numbers where no tokenizer is known.",
       .report = ReportKind::kPerformance,
       .most_rows = 4,
       .columns = {}},
      {
          {{"sample", "Sample", Unit::kCount, "of the batch"}, [](const S& s) { return count(s.sample); }},
          {{"text", "Text", Unit::kText, "in one line"}, [](const S& s) { return text(*s.text); }},
      });
  return section;
}

}  // namespace

std::vector<double> at_position(const std::vector<std::vector<double>>& runs, std::size_t token) {
  std::vector<double> times;
  for (const std::vector<double>& run : runs) {
    if (token < run.size()) times.push_back(run[token]);
  }
  return times;
}

const SectionInfo& token_section_info() { return token_section().info(); }
const SectionInfo& text_section_info() { return text_section().info(); }

Table make_token_table(const GenerationRecord& generation) {
  std::vector<TokenRow> tokens;
  for (std::int64_t i = 0; i < generation.tokens; ++i) tokens.push_back({&generation, static_cast<std::size_t>(i)});
  return token_section().fill(tokens);
}

Table make_text_table(const GenerationRecord& generation) {
  std::vector<SampleText> texts;
  for (const std::string& text : generation.texts) {
    texts.push_back({static_cast<std::int64_t>(texts.size()) + 1, &text});
  }
  return text_section().fill(texts);
}

}  // namespace nongemm
