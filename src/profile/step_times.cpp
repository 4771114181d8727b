#include "profile/step_times.h"

#include <numeric>

#include "base/interrupt.h"

namespace nongemm {
namespace {

/// A mean needs fewer inferences than a median's interval.
constexpr int kInferences = 50;

}  // namespace

std::optional<StepPass> measure_steps(Session& session, const MeasurePolicy& policy) {
  if (session.program() == nullptr) return std::nullopt;
  StepPass pass;
  const int inferences = policy.iterations.value_or(kInferences);
  while (static_cast<int>(pass.sum_s.size()) < inferences && (pass.sum_s.empty() || !interrupted())) {
    const std::vector<double> times = session.run_for_steps();
    if (times.empty()) return std::nullopt;
    pass.mean_s.resize(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) pass.mean_s[i] += times[i];
    pass.sum_s.push_back(std::accumulate(times.begin(), times.end(), 0.0));
  }
  pass.inferences = static_cast<int>(pass.sum_s.size());
  for (double& time : pass.mean_s) time /= static_cast<double>(pass.sum_s.size());
  return pass;
}

}  // namespace nongemm
