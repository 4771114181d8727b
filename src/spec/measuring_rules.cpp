#include "spec/measuring_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace nongemm {
namespace {

constexpr double kMostIterations = 1e6;
constexpr double kLeastSeconds = 0.01;
constexpr double kDay = 86400;

constexpr RuleParameter kRetake = {"retake", 0, 0, 1,
                                   "so many doubtful samples, as a share of those that count, are taken again"};

template <typename Row>
std::string names_of(const std::vector<Row>& rows) {
  std::string names;
  for (const Row& row : rows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

}  // namespace

const std::vector<RuleInfo>& stopping_rules() {
  static const std::vector<RuleInfo> kRules = {
      {"interval",
       "until the median is known well enough",
       {{"width", 0.02, 0, 1, "of the median's 95 % interval, relative to the median"},
        {"least", 10, 1, kMostIterations, "iterations"},
        {"most", 1000, 1, kMostIterations, "iterations"},
        {"seconds", 10, kLeastSeconds, kDay, "measured at most; never cut below three iterations"},
        kRetake}},
      {"count", "exactly so many", {{"n", 10, 1, kMostIterations, "iterations"}, kRetake}},
      {"time", "for so long", {{"seconds", 1, kLeastSeconds, kDay, "measured"}, kRetake}},
  };
  return kRules;
}

const std::vector<RuleInfo>& warm_up_rules() {
  static const std::vector<RuleInfo> kRules = {
      {"settle",
       "some runs and some time",
       {{"least", 3, 1, kMostIterations, "runs"},
        {"seconds", 0.3, 0, kDay, "of running, unless a limit is reached"},
        {"most", 50, 1, kMostIterations, "runs"},
        {"most_seconds", 3, 0, kDay, "of running"}}},
      {"count", "exactly so many", {{"n", 3, 0, kMostIterations, "runs"}}},
  };
  return kRules;
}

const RuleParameter* RuleInfo::find(std::string_view parameter) const {
  const auto at = std::find_if(parameters.begin(), parameters.end(),
                               [&](const RuleParameter& row) { return row.name == parameter; });
  return at != parameters.end() ? &*at : nullptr;
}

const RuleInfo& find_rule(const std::vector<RuleInfo>& rules, std::string_view name) {
  const auto at = std::find_if(rules.begin(), rules.end(), [&](const RuleInfo& rule) { return rule.name == name; });
  if (at != rules.end()) return *at;
  throw Error(ErrorKind::kUsage, fmt::format("no rule '{}'", name), "there are " + names_of(rules));
}

RuleParameters parameters_of(const std::vector<RuleInfo>& rules, const RuleChoice& choice) {
  const RuleInfo& rule = find_rule(rules, choice.name);
  RuleParameters all;
  for (const RuleParameter& row : rule.parameters) all[std::string(row.name)] = row.preset;
  for (const auto& [name, value] : choice.parameters) {
    const RuleParameter* row = rule.find(name);
    if (row == nullptr) {
      throw Error(ErrorKind::kUsage, fmt::format("rule '{}' has no parameter '{}'", rule.name, name),
                  "it has " + names_of(rule.parameters));
    }
    if (!(value >= row->least && value <= row->most)) {
      throw Error(ErrorKind::kUsage, fmt::format("'{}' of rule '{}' is {:g}", name, rule.name, value),
                  fmt::format("give {:g} to {:g}", row->least, row->most));
    }
    all[name] = value;
  }
  return all;
}

RuleChoice parse_rule(const std::vector<RuleInfo>& rules, std::string_view text) {
  RuleChoice choice{std::string(text.substr(0, text.find(',')))};
  find_rule(rules, choice.name);
  for (std::size_t at = choice.name.size(); at < text.size();) {
    const std::size_t end = std::min(text.find(',', at + 1), text.size());
    const std::string_view setting = text.substr(at + 1, end - at - 1);
    const std::size_t equals = setting.find('=');
    double value = 0;
    const std::string_view digits = equals == std::string_view::npos ? "" : setting.substr(equals + 1);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || error != std::errc() || stop != digits.data() + digits.size()) {
      throw Error(ErrorKind::kUsage, fmt::format("'{}' of rule '{}' is no setting", setting, choice.name),
                  "write it as name=number");
    }
    choice.parameters[std::string(setting.substr(0, equals))] = value;
    at = end;
  }
  parameters_of(rules, choice);
  return choice;
}

std::string to_text(const RuleChoice& choice) {
  std::string text = choice.name;
  for (const auto& [name, value] : choice.parameters) text += fmt::format(",{}={}", name, value);
  return text;
}

std::string describe(const std::vector<RuleInfo>& rules) {
  std::string text;
  for (const RuleInfo& rule : rules) {
    text += fmt::format("{}{} {} (", text.empty() ? "" : "; ", rule.name, rule.doc);
    for (const RuleParameter& row : rule.parameters) {
      text += fmt::format("{}{}={}", &row == rule.parameters.data() ? "" : ", ", row.name, row.preset);
    }
    text += ")";
  }
  return text;
}

}  // namespace nongemm
