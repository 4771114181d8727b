// Options of text generation.
#include <charconv>

#include "base/error.h"
#include "base/text.h"
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

/// One of `temperature=0.8,top_k=50`, at least `least` and, for shares, at most 1.
double read_parameter(const std::string& text, std::size_t equals, double least, double most) {
  const std::string value = text.substr(equals + 1);
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || !(number >= least && number <= most)) {
    throw Error(ErrorKind::kUsage, "--sample " + text + " is not understood",
                text.substr(0, equals) + " is a number from " + number_text(least) + " to " + number_text(most));
  }
  return number;
}

void read_sampling(Sampling& sampling, const std::string& text) {
  sampling.draws = true;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string one = text.substr(begin, end - begin);
    begin = end + 1;
    if (one == "multinomial") continue;
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string name = one.substr(0, equals);
    if (name == "temperature" && equals < one.size()) {
      sampling.temperature = read_parameter(one, equals, 1e-4, 1e4);
    } else if (name == "top_k" && equals < one.size()) {
      sampling.top_k = static_cast<std::int64_t>(read_parameter(one, equals, 1, 1e9));
    } else if (name == "top_p" && equals < one.size()) {
      sampling.top_p = read_parameter(one, equals, 1e-6, 1);
    } else {
      throw Error(ErrorKind::kUsage, "--sample '" + one + "' is not understood",
                  "write temperature=0.8,top_k=50,top_p=0.9, or some of these, or multinomial alone");
    }
  }
}

std::vector<std::string> text_of(const Sampling& sampling) {
  if (!sampling.draws) return {};
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ",") + part; };
  if (sampling.temperature) add("temperature=" + number_text(*sampling.temperature));
  if (sampling.top_k) add("top_k=" + std::to_string(*sampling.top_k));
  if (sampling.top_p) add("top_p=" + number_text(*sampling.top_p));
  return {text.empty() ? "multinomial" : text};
}

}  // namespace

std::vector<Option> generate_rows() {
  std::vector<Option> rows;
  rows.push_back(integer(
      {.name = "generate",
       .value = "N",
       .doc = "generate so many tokens: the prompt's pass and the steps after it, told apart",
       .otherwise = "one inference",
       .section = OptionSection::kModel,
       .commands = kRun,
       .shown = OptionShown::kWhenGiven,
       .swept = true,
       .commas = true},
      [](auto& r) -> auto& { return r.run.generate.tokens; }, {1, 1'000'000'000}, /*absent=*/0));
  rows.push_back(integer({.name = "prompt",
                          .value = "N",
                          .doc = "tokens per sample before the generated ones",
                          .otherwise = "128; with --data as many as the text has, at most 128",
                          .section = OptionSection::kModel,
                          .commands = kRun,
                          .shown = OptionShown::kWhenGiven,
                          .swept = true,
                          .commas = true},
                         [](auto& r) -> auto& { return r.run.generate.prompt; }, {1, 1'000'000'000}));
  rows.push_back(integer(
      {.name = "shortest-prompt",
       .value = "N",
       .doc = "prompts of different lengths in a batch, evenly from --prompt down to N, with padding on the left",
       .otherwise = "all are as long as --prompt",
       .section = OptionSection::kModel,
       .commands = kRun,
       .shown = OptionShown::kWhenGiven,
       .swept = true,
       .commas = true},
      [](auto& r) -> auto& { return r.run.generate.shortest_prompt; }, {1, 1'000'000'000}));
  rows.push_back(choice({.name = "cache",
                         .value = "KIND",
                         .doc = "dynamic: keys and values grow by concatenation; static: they are written in place",
                         .otherwise = "dynamic; static where a run replays CUDA graphs, which take no other",
                         .section = OptionSection::kModel,
                         .commands = kRun | kVerify,
                         .shown = OptionShown::kWhenGiven,
                         .swept = true,
                         .commas = true},
                        [](auto& r) -> auto& { return r.run.generate.cache; },
                        {{"dynamic", CacheKind::kDynamic}, {"static", CacheKind::kStatic}}));
  rows.push_back(custom(
      {.name = "sample",
       .value = "HOW",
       .doc = "draw tokens: temperature=0.8,top_k=50,top_p=0.9, or some of these",
       .otherwise = "the likeliest token",
       .section = OptionSection::kModel,
       .commands = kRun,
       .shown = OptionShown::kWhenGiven},
      [](Request& request, const std::string& text) { read_sampling(request.run.generate.sampling, text); },
      [](const Request& request) { return text_of(request.run.generate.sampling); }));
  return rows;
}

}  // namespace nongemm::option_rows
