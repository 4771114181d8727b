// When a pass has measured enough. A rule is an object chosen by name whose parameters are options.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace nongemm {

class StoppingRule {
 public:
  virtual ~StoppingRule() = default;
  /// Called after each iteration with all samples so far, in seconds.
  virtual bool enough(std::span<const double> samples) = 0;
  /// "interval of the median within 2 %, 10 to 1000 iterations, at most 10 s": for the report.
  virtual std::string description() const = 0;
};

/// Exactly `count` iterations.
std::unique_ptr<StoppingRule> stop_after(int count);

struct IntervalRule {
  double relative_width = 0.02;  // of the 95 % confidence interval of the median
  int least = 10;
  int most = 1000;
  double most_seconds = 10.0;  // measured time; never cut below three iterations
};
/// Until the median is known well enough, or a limit is reached.
std::unique_ptr<StoppingRule> stop_at_interval(IntervalRule rule);

}  // namespace nongemm
