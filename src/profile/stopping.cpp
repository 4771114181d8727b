#include "profile/stopping.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/statistics.h"

namespace nongemm {
namespace {

constexpr double kLeastSeconds = 0.01;
constexpr double kDay = 86400;

/// Sum of samples of which more come in each call: each is added once, there may be millions.
class Total {
 public:
  double of(std::span<const double> samples) {
    sum_ = std::accumulate(samples.begin() + static_cast<std::ptrdiff_t>(seen_), samples.end(), sum_);
    seen_ = samples.size();
    return sum_;
  }

 private:
  std::size_t seen_ = 0;
  double sum_ = 0;
};

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
    if (n >= kLeastForSpread && total_.of(samples) >= seconds_) return true;
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
  Total total_;
};

/// For so long.
class TimeRule : public StoppingRule {
 public:
  explicit TimeRule(const RuleParameters& p) : seconds_(p.at("seconds")) {}
  bool enough(std::span<const double> samples) override { return !samples.empty() && total_.of(samples) >= seconds_; }
  std::string description() const override { return fmt::format("{:g} s", seconds_); }

 private:
  double seconds_;
  Total total_;
};

/// Caches, allocators and clocks have settled after some runs and some time.
class SettleRule : public StoppingRule {
 public:
  explicit SettleRule(const RuleParameters& p)
      : least_(p.at("least")), seconds_(p.at("seconds")), most_(p.at("most")), most_seconds_(p.at("most_seconds")) {}

  bool enough(std::span<const double> samples) override {
    if (samples.empty()) return false;
    const auto n = static_cast<double>(samples.size());
    const double seconds = total_.of(samples);
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
  Total total_;
};

template <typename Rule>
std::unique_ptr<StoppingRule> make(const RuleParameters& parameters) {
  return std::make_unique<Rule>(parameters);
}

struct Maker {
  std::string_view rule;
  std::unique_ptr<StoppingRule> (*make)(const RuleParameters& parameters);
};

/// One for each row of the tables.
constexpr Maker kMakers[] = {
    {"interval", make<MedianIntervalRule>},
    {"count", make<CountRule>},
    {"time", make<TimeRule>},
    {"settle", make<SettleRule>},
};

}  // namespace

std::unique_ptr<StoppingRule> make_rule(const std::vector<RuleInfo>& rules, const RuleChoice& choice) {
  const RuleParameters parameters = parameters_of(rules, choice);
  const auto maker =
      std::find_if(std::begin(kMakers), std::end(kMakers), [&](const Maker& row) { return row.rule == choice.name; });
  return maker->make(parameters);  // every rule of the tables has one: tested
}

RuleChoice stop_of(const MeasurePolicy& policy) {
  RuleChoice choice = policy.stop;
  if (policy.iterations) {
    const auto retake = choice.parameters.find("retake");
    const double retakes = retake != choice.parameters.end() ? retake->second : 0.0;
    return {"count", {{"n", *policy.iterations}, {"retake", retakes}}};
  }
  if (find_rule(stopping_rules(), choice.name).find("seconds") != nullptr) {
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
