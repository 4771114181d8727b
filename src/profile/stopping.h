// When a pass has measured enough, and when warm-up has. A rule is an object chosen by name whose parameters are data
// with documented defaults: a new one is a class and a line here and a row of that table.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "spec/measuring_rules.h"

namespace nongemm {

class StoppingRule {
 public:
  virtual ~StoppingRule() = default;
  /// Called before each iteration with all samples so far, in seconds.
  virtual bool enough(std::span<const double> samples) = 0;
  /// "interval of the median within 2 %, 10 to 1000 iterations, at most 10 s": for the report.
  virtual std::string description() const = 0;
};

/// A rule of spec/measuring_rules.h at work.
/// @throws Error (kUsage) naming the rules, parameters or range there are
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
