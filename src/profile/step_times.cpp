#include "profile/step_times.h"

#include <numeric>

#include "base/interrupt.h"

namespace nongemm {
namespace {

/// A mean needs fewer inferences than a median's interval.
constexpr std::size_t kInferences = 50;

}  // namespace

std::optional<StepPass> measure_steps(Session& session, const PassSettings& settings) {
  if (session.program() == nullptr) return std::nullopt;
  StepPass pass;
  std::vector<std::vector<double>> runs;
  const std::size_t inferences = count_of(settings.policy).value_or(kInferences);
  while (runs.size() < inferences && (runs.empty() || !interrupted())) {
    settings.prepare_sample();
    runs.push_back(session.run_for_steps());
    if (runs.back().empty()) return std::nullopt;
    pass.sum_s.push_back(std::accumulate(runs.back().begin(), runs.back().end(), 0.0));
  }
  const std::vector<std::size_t> kept = undisturbed(pass.sum_s);
  pass.inferences = static_cast<int>(kept.size());
  pass.mean_s.resize(runs.front().size());
  for (const std::size_t run : kept) {
    for (std::size_t i = 0; i < pass.mean_s.size(); ++i) pass.mean_s[i] += runs[run][i] / pass.inferences;
  }
  return pass;
}

}  // namespace nongemm
