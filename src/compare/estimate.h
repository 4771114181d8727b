// How many times as long something takes as before, and whether that can be told from processes that vary.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace nongemm {

enum class Verdict : std::uint8_t { kSame, kFaster, kSlower, kUndecided, kNotComparable };
std::string_view name_of(Verdict verdict);

/// Seconds, or any other positive amounts: the samples of each process. A process is the unit that a claim rests on:
/// memory layout, clocks and caches are its own, and its samples share them.
using ProcessSamples = std::vector<std::vector<double>>;

struct Question {
  double tolerance = 0.03;  // a ratio between 1 / (1 + tolerance) and 1 + tolerance is no difference
  double confidence = 0.95;
  bool in_turns = false;  // the n-th processes of both sides ran one after the other: what drifts, drifts for both
  /// Standard deviation of a process's median, relative, where one process alone cannot tell it.
  double assumed_spread = 0.02;
};

/// Of new over base; all NaN where a side has no samples.
struct Estimate {
  double base = std::numeric_limits<double>::quiet_NaN();  // median over processes of their medians
  double fresh = std::numeric_limits<double>::quiet_NaN();
  double ratio = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();  // of the interval that holds the ratio with the confidence
  double high = std::numeric_limits<double>::quiet_NaN();
  /// How probable an estimate this far beyond the tolerance is where there is no difference; two-sided.
  double p_value = 1;
  std::size_t processes = 0;  // of the side that has fewer
  bool assumed = false;       // the spread between processes is assumed: a side has one process
};

/// Hierarchical bootstrap: processes are drawn with replacement, and in each its samples. The standard error of the
/// logarithm of the ratio that this gives is corrected for few processes, sqrt(n / (n - 1)), and the interval is taken
/// from Student's t instead of the bootstrap's own quantiles, which are too narrow for few.
Estimate estimate_ratio(const ProcessSamples& base, const ProcessSamples& fresh, const Question& question);

/// Faster or slower only where the whole interval lies beyond the tolerance, same only where it lies within.
Verdict verdict_of(const Estimate& estimate, double tolerance);

/// Processes for each side with which an undecided ratio would probably be decided; 0 when more than 1000.
int processes_needed(const Estimate& estimate, double tolerance);

/// Benjamini and Hochberg's procedure: which of the hypotheses are rejected when at most `rate` of the rejected may be
/// wrong.
std::vector<bool> rejected(std::span<const double> p_values, double rate);

}  // namespace nongemm
