#include "compare/estimate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

#include "base/statistics.h"
#include "compare/student.h"

namespace nongemm {
namespace {

constexpr int kDraws = 1000;
constexpr double kAsGoodAsNormal = 1e6;  // degrees of freedom

/// The same data give the same answer.
using Random = std::mt19937_64;

std::size_t draw(Random& random, std::size_t count) { return static_cast<std::size_t>(random() % count); }

double median_in_place(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// The median of a process's samples, drawn anew.
double drawn_median(const std::vector<double>& samples, Random& random, std::vector<double>& scratch) {
  scratch.clear();
  for (std::size_t i = 0; i < samples.size(); ++i) scratch.push_back(samples[draw(random, samples.size())]);
  return median_in_place(scratch);
}

double drawn_side(const ProcessSamples& side, Random& random, std::vector<double>& scratch) {
  std::vector<double> medians;
  for (std::size_t i = 0; i < side.size(); ++i) {
    medians.push_back(drawn_median(side[draw(random, side.size())], random, scratch));
  }
  return std::log(median_in_place(medians));
}

double drawn_turns(const ProcessSamples& base, const ProcessSamples& fresh, Random& random,
                   std::vector<double>& scratch) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const std::size_t turn = draw(random, base.size());
    const double before = std::log(drawn_median(base[turn], random, scratch));
    ratios.push_back(std::log(drawn_median(fresh[turn], random, scratch)) - before);
  }
  return median_in_place(ratios);
}

double median_of_medians(const ProcessSamples& side) {
  std::vector<double> medians;
  for (const auto& samples : side) medians.push_back(median(samples));
  return median(medians);
}

double log_ratio_in_turns(const ProcessSamples& base, const ProcessSamples& fresh) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < base.size(); ++i) ratios.push_back(std::log(median(fresh[i]) / median(base[i])));
  return median(ratios);
}

/// The standard deviation that a normal distribution with the same middle 68 % has: a draw in which one disturbed
/// process stands several times says nothing of the others.
double deviation(const std::vector<double>& values) {
  constexpr double kOneSigma = 0.841344746;
  return (quantile(values, kOneSigma) - quantile(values, 1 - kOneSigma)) / 2;
}

struct Spread {
  double error = 0;  // standard error of the log ratio
  double freedom = kAsGoodAsNormal;
};

Spread spread_of(const ProcessSamples& base, const ProcessSamples& fresh, bool in_turns, double assumed) {
  Random random(0x6e6f6e67656d6d);
  std::vector<double> scratch;
  std::vector<double> drawn;
  for (int i = 0; i < kDraws; ++i) {
    drawn.push_back(in_turns ? drawn_turns(base, fresh, random, scratch)
                             : drawn_side(fresh, random, scratch) - drawn_side(base, random, scratch));
  }
  const auto fewest = static_cast<double>(std::min(base.size(), fresh.size()));
  Spread spread;
  double variance = std::pow(deviation(drawn), 2) * (fewest > 1 ? fewest / (fewest - 1) : 1.0);
  for (const ProcessSamples* side : {&base, &fresh}) {
    if (side->size() == 1) variance += assumed * assumed;
  }
  spread.error = std::sqrt(variance);
  const double freedom = in_turns ? fewest - 1 : static_cast<double>(base.size() + fresh.size()) - 2;
  if (freedom > 0 && fewest > 1) spread.freedom = freedom;
  return spread;
}

/// Without processes that have no samples or amounts that are none.
ProcessSamples usable(const ProcessSamples& side) {
  ProcessSamples all;
  for (const auto& samples : side) {
    const bool fine = !samples.empty() &&
                      std::all_of(samples.begin(), samples.end(), [](double s) { return std::isfinite(s) && s > 0; });
    if (fine) all.push_back(samples);
  }
  return all;
}

}  // namespace

std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, 5> kNames = {"same", "faster", "slower", "undecided", "not comparable"};
  return kNames[static_cast<std::size_t>(verdict)];
}

Estimate estimate_ratio(const ProcessSamples& all_base, const ProcessSamples& all_fresh, const Question& question) {
  const ProcessSamples base = usable(all_base);
  const ProcessSamples fresh = usable(all_fresh);
  Estimate estimate;
  estimate.processes = std::min(base.size(), fresh.size());
  if (estimate.processes == 0) return estimate;
  const bool in_turns = question.in_turns && base.size() == fresh.size() && base.size() == all_base.size();
  estimate.assumed = estimate.processes == 1;
  estimate.base = median_of_medians(base);
  estimate.fresh = median_of_medians(fresh);
  const double log_ratio = in_turns ? log_ratio_in_turns(base, fresh) : std::log(estimate.fresh / estimate.base);
  const Spread spread = spread_of(base, fresh, in_turns, question.assumed_spread);
  const double half = student_bound(question.confidence, spread.freedom) * spread.error;
  estimate.ratio = std::exp(log_ratio);
  estimate.low = std::exp(log_ratio - half);
  estimate.high = std::exp(log_ratio + half);
  const double beyond = std::abs(log_ratio) - std::log1p(question.tolerance);
  const double tail = spread.error > 0 ? student_tail(beyond / spread.error, spread.freedom) : (beyond > 0 ? 0.0 : 1.0);
  estimate.p_value = std::min(1.0, 2 * tail);
  return estimate;
}

Verdict verdict_of(const Estimate& estimate, double tolerance) {
  if (std::isnan(estimate.ratio)) return Verdict::kNotComparable;
  const double most = 1 + tolerance;
  if (estimate.low > most) return Verdict::kSlower;
  if (estimate.high < 1 / most) return Verdict::kFaster;
  if (estimate.low >= 1 / most && estimate.high <= most) return Verdict::kSame;
  return Verdict::kUndecided;
}

int processes_needed(const Estimate& estimate, double tolerance) {
  if (estimate.processes == 0) return 0;
  const double half = std::log(estimate.high / estimate.low) / 2;
  const double distance = std::abs(std::abs(std::log(estimate.ratio)) - std::log1p(tolerance));
  constexpr double kMost = 1000;
  const double wanted = static_cast<double>(estimate.processes) * std::pow(half / distance, 2);
  return wanted <= kMost ? static_cast<int>(std::ceil(std::max(wanted, static_cast<double>(estimate.processes) + 1)))
                         : 0;
}

std::vector<bool> rejected(std::span<const double> p_values, double rate) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::size_t count = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const double threshold = rate * static_cast<double>(k + 1) / static_cast<double>(order.size());
    if (p_values[order[k]] <= threshold) count = k + 1;
  }
  std::vector<bool> is_rejected(p_values.size(), false);
  for (std::size_t k = 0; k < count; ++k) is_rejected[order[k]] = true;
  return is_rejected;
}

}  // namespace nongemm
