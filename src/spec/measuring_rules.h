// The rules that end a pass or warm-up, as data: their names, their parameters with defaults and ranges. What they do
// is profile/stopping.h's.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spec/measure_policy.h"

namespace nongemm {

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

  /// nullptr when the rule has none of this name.
  const RuleParameter* find(std::string_view parameter) const;
};

const std::vector<RuleInfo>& stopping_rules();
const std::vector<RuleInfo>& warm_up_rules();

/// @throws Error (kUsage) naming the rules there are
const RuleInfo& find_rule(const std::vector<RuleInfo>& rules, std::string_view name);
/// Every parameter of the chosen rule, defaults filled in.
/// @throws Error (kUsage) naming the rules, parameters or range there are
RuleParameters parameters_of(const std::vector<RuleInfo>& rules, const RuleChoice& choice);

/// "interval,width=0.01", as options have it.
/// @throws Error (kUsage) as parameters_of does, and for what is no such text
RuleChoice parse_rule(const std::vector<RuleInfo>& rules, std::string_view text);
std::string to_text(const RuleChoice& choice);
/// "interval (width=0.02, least=10, ...), count (n=10)": for help.
std::string describe(const std::vector<RuleInfo>& rules);

}  // namespace nongemm
