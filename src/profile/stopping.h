// When a pass has measured enough, and when warm-up has. A rule is an object chosen by name whose parameters are data
// with documented defaults: a new one is a class and a row of a table.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spec/measure_policy.h"

namespace nongemm {

class StoppingRule {
 public:
  virtual ~StoppingRule() = default;
  /// Called before each iteration with all samples so far, in seconds.
  virtual bool enough(std::span<const double> samples) = 0;
  /// "interval of the median within 2 %, 10 to 1000 iterations, at most 10 s": for the report.
  virtual std::string description() const = 0;
};

struct RuleParameter {
  std::string_view name;
  double preset = 0;
  double least = 0;
  double most = 0;
  std::string_view doc;
};

/// The parameters of one rule, all of them, by name.
using RuleParameters = std::map<std::string, double>;

struct RuleInfo {
  std::string_view name;
  std::string_view doc;
  std::vector<RuleParameter> parameters;
  std::unique_ptr<StoppingRule> (*make)(const RuleParameters& parameters);
};

const std::vector<RuleInfo>& stopping_rules();
const std::vector<RuleInfo>& warm_up_rules();

/// Every parameter of the chosen rule, defaults filled in.
/// @throws Error (kUsage) naming the rules, parameters or range there are
RuleParameters parameters_of(const std::vector<RuleInfo>& rules, const RuleChoice& choice);
std::unique_ptr<StoppingRule> make_rule(const std::vector<RuleInfo>& rules, const RuleChoice& choice);

/// What the policy chooses, its short forms included.
RuleChoice stop_of(const MeasurePolicy& policy);
RuleChoice warm_up_of(const MeasurePolicy& policy);
/// When a pass under this policy ends.
std::unique_ptr<StoppingRule> rule_for(const MeasurePolicy& policy);

/// Exactly so many iterations, where the policy says that.
std::optional<std::size_t> count_of(const MeasurePolicy& policy);
/// What a pass measures at most; `otherwise` for rules that have no such limit.
double seconds_of(const MeasurePolicy& policy, double otherwise);
/// The same policy with another limit.
MeasurePolicy with_seconds(MeasurePolicy policy, double seconds);

/// How many doubtful samples (SampleMark) may be taken again, as a share of those that count.
double retakes_of(const MeasurePolicy& policy);

}  // namespace nongemm
