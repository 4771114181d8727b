#include "profile/stopping.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/statistics.h"

namespace nongemm {
namespace {

constexpr double kMostIterations = 1e6;
constexpr double kLeastSeconds = 0.01;
constexpr double kDay = 86400;

constexpr RuleParameter kRetake = {"retake", 0, 0, 1,
                                   "so many doubtful samples, as a share of those that count, are taken again"};

double total(std::span<const double> samples) { return std::accumulate(samples.begin(), samples.end(), 0.0); }

/// Exactly so many.
class CountRule : public StoppingRule {
 public:
  explicit CountRule(const RuleParameters& p) : count_(static_cast<std::size_t>(p.at("n"))) {}
  bool enough(std::span<const double> samples) override { return samples.size() >= count_; }
  std::string description() const override { return fmt::format("{} iterations", count_); }

 private:
  std::size_t count_;
};

/// Until the median is known well enough, or a limit is reached.
class MedianIntervalRule : public StoppingRule {
 public:
  explicit MedianIntervalRule(const RuleParameters& p)
      : width_(p.at("width")), least_(p.at("least")), most_(p.at("most")), seconds_(p.at("seconds")) {}

  bool enough(std::span<const double> samples) override {
    const auto n = static_cast<double>(samples.size());
    constexpr double kLeastForSpread = 3;
    if (n >= kLeastForSpread && total(samples) >= seconds_) return true;
    if (n >= most_) return true;
    if (n < least_ || n < next_check_) return false;
    next_check_ = n + std::max(1.0, n / 4);  // sorting is not free
    const Interval interval = median_interval(samples);
    return interval.high - interval.low <= width_ * median(samples);
  }

  std::string description() const override {
    return fmt::format("95 % interval of the median within {:g} %, {} to {} iterations, at most {:g} s", width_ * 100,
                       least_, most_, seconds_);
  }

 private:
  double width_;
  double least_;
  double most_;
  double seconds_;
  double next_check_ = 0;
};

/// For so long.
class TimeRule : public StoppingRule {
 public:
  explicit TimeRule(const RuleParameters& p) : seconds_(p.at("seconds")) {}
  bool enough(std::span<const double> samples) override { return !samples.empty() && total(samples) >= seconds_; }
  std::string description() const override { return fmt::format("{:g} s", seconds_); }

 private:
  double seconds_;
};

/// Caches, allocators and clocks have settled after some runs and some time.
class SettleRule : public StoppingRule {
 public:
  explicit SettleRule(const RuleParameters& p)
      : least_(p.at("least")), seconds_(p.at("seconds")), most_(p.at("most")), most_seconds_(p.at("most_seconds")) {}

  bool enough(std::span<const double> samples) override {
    if (samples.empty()) return false;
    const auto n = static_cast<double>(samples.size());
    const double seconds = total(samples);
    return (n >= least_ && seconds >= seconds_) || n >= most_ || seconds >= most_seconds_;
  }
  std::string description() const override {
    return fmt::format("at least {} runs and {:g} s, at most {} or {:g} s", least_, seconds_, most_, most_seconds_);
  }

 private:
  double least_;
  double seconds_;
  double most_;
  double most_seconds_;
};

template <typename Rule>
std::unique_ptr<StoppingRule> make(const RuleParameters& parameters) {
  return std::make_unique<Rule>(parameters);
}

template <typename Row>
std::string names_of(const std::vector<Row>& rows) {
  std::string names;
  for (const Row& row : rows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

const RuleInfo& find_rule(const std::vector<RuleInfo>& rules, const std::string& name) {
  const auto at = std::find_if(rules.begin(), rules.end(), [&](const RuleInfo& rule) { return rule.name == name; });
  if (at == rules.end()) throw Error(ErrorKind::kUsage, "no rule '" + name + "'", "there are " + names_of(rules));
  return *at;
}

bool has(const RuleInfo& rule, std::string_view parameter) {
  return std::any_of(rule.parameters.begin(), rule.parameters.end(),
                     [&](const RuleParameter& row) { return row.name == parameter; });
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
        kRetake},
       make<MedianIntervalRule>},
      {"count", "exactly so many", {{"n", 10, 1, kMostIterations, "iterations"}, kRetake}, make<CountRule>},
      {"time", "for so long", {{"seconds", 1, kLeastSeconds, kDay, "measured"}, kRetake}, make<TimeRule>},
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
        {"most_seconds", 3, 0, kDay, "of running"}},
       make<SettleRule>},
      {"count", "exactly so many", {{"n", 3, 0, kMostIterations, "runs"}}, make<CountRule>},
  };
  return kRules;
}

RuleParameters parameters_of(const std::vector<RuleInfo>& rules, const RuleChoice& choice) {
  const RuleInfo& rule = find_rule(rules, choice.name);
  RuleParameters all;
  for (const RuleParameter& row : rule.parameters) all[std::string(row.name)] = row.preset;
  for (const auto& [name, value] : choice.parameters) {
    const auto row = std::find_if(rule.parameters.begin(), rule.parameters.end(),
                                  [&name = name](const RuleParameter& known) { return known.name == name; });
    if (row == rule.parameters.end()) {
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

std::unique_ptr<StoppingRule> make_rule(const std::vector<RuleInfo>& rules, const RuleChoice& choice) {
  return find_rule(rules, choice.name).make(parameters_of(rules, choice));
}

RuleChoice stop_of(const MeasurePolicy& policy) {
  RuleChoice choice = policy.stop;
  if (policy.iterations) {
    const auto retake = choice.parameters.find("retake");
    const double retakes = retake != choice.parameters.end() ? retake->second : kRetake.preset;
    return {"count", {{"n", *policy.iterations}, {"retake", retakes}}};
  }
  if (has(find_rule(stopping_rules(), choice.name), "seconds")) {
    choice.parameters.emplace("seconds", policy.most_seconds);  // unless the rule was given its own
  }
  return choice;
}

RuleChoice warm_up_of(const MeasurePolicy& policy) {
  if (policy.warmup) return {"count", {{"n", *policy.warmup}}};
  return policy.warm_up;
}

std::unique_ptr<StoppingRule> rule_for(const MeasurePolicy& policy) {
  return make_rule(stopping_rules(), stop_of(policy));
}

std::optional<std::size_t> count_of(const MeasurePolicy& policy) {
  const RuleChoice choice = stop_of(policy);
  if (choice.name != "count") return std::nullopt;
  return static_cast<std::size_t>(parameters_of(stopping_rules(), choice).at("n"));
}

double seconds_of(const MeasurePolicy& policy, double otherwise) {
  const RuleParameters parameters = parameters_of(stopping_rules(), stop_of(policy));
  const auto seconds = parameters.find("seconds");
  return seconds != parameters.end() ? seconds->second : otherwise;
}

MeasurePolicy with_seconds(MeasurePolicy policy, double seconds) {
  policy.most_seconds = std::clamp(seconds, kLeastSeconds, kDay);
  policy.stop.parameters.erase("seconds");
  return policy;
}

double retakes_of(const MeasurePolicy& policy) { return parameters_of(stopping_rules(), stop_of(policy)).at("retake"); }

}  // namespace nongemm
