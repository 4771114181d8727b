// How long something is measured: rules by name, whose parameters are data.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace nongemm {

/// A rule of profile/stopping.h and the parameters of it that are not its defaults: "interval,width=0.01".
struct RuleChoice {
  std::string name;
  std::map<std::string, double> parameters = {};
};

struct MeasurePolicy {
  RuleChoice stop = {"interval"};   // ends a pass
  RuleChoice warm_up = {"settle"};  // ends what is run before the first pass
  std::optional<int> iterations;    // exactly so many: stands for the rule "count"
  std::optional<int> warmup;        // exactly so many: the same for warm-up
  double most_seconds = 10.0;       // of the latency pass; the node pass's traced runs take at most as long
};

}  // namespace nongemm
