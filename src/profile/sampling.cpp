#include "profile/sampling.h"

#include <sys/resource.h>

#include "base/interrupt.h"
#include "base/statistics.h"

namespace nongemm {
namespace {

/// Times that the threads of this process lost their processor against their will.
long involuntary_switches() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

}  // namespace

PassEnd::PassEnd(const PassSettings& settings) : rule_(rule_for(settings.policy)) {
  constexpr double kSlack = 2.0;
  if (settings.before_sample && !count_of(settings.policy)) {
    patience_s_ = kSlack * seconds_of(settings.policy, settings.policy.most_seconds);
  }
}

bool PassEnd::reached(std::span<const double> samples) {
  constexpr std::size_t kLeast = 10;
  const bool late = patience_s_ && samples.size() >= kLeast && watch_.seconds() >= *patience_s_;
  return rule_->enough(samples) || late;
}

Watch::Watch(Session& session) : session_(session), state_(session.device_state()) {}

void Watch::begin_sample() { switches_ = involuntary_switches(); }

bool Watch::device_throttled(double sample_s) {
  constexpr double kEvery = 0.25;  // asking takes the driver up to some milliseconds
  since_asked_s_ += sample_s;
  if (since_asked_s_ >= kEvery) {
    since_asked_s_ = 0;
    state_ = session_.device_state();
  }
  return state_.throttled.value_or(false);
}

SampleMark Watch::end_sample(double sample_s) {
  constexpr double kSlower = 1.1;     // a switch that cost nothing disturbed nothing
  constexpr double kFarSlower = 2.0;  // whatever the reason
  constexpr std::size_t kLeast = 3;   // samples that make a median
  const bool switched = involuntary_switches() > switches_;
  if (device_throttled(sample_s)) return SampleMark::kThrottled;
  if (kept_.count() < kLeast) return SampleMark::kNone;
  const double limit = (switched ? kSlower : kFarSlower) * kept_.value();
  return sample_s > limit ? SampleMark::kDisturbed : SampleMark::kNone;
}

std::size_t traced_nodes(const Session& session, const Graph& graph) {
  const RuntimeProgram* program = session.program();
  return program != nullptr ? program->nodes.size() : graph.nodes.size();
}

double timed_run(Session& session) {
  session.align();
  const Stopwatch watch;
  session.run();
  return watch.seconds();
}

std::vector<double> warm_up(Session& session, const PassSettings& settings) {
  const std::unique_ptr<StoppingRule> rule = make_rule(warm_up_rules(), warm_up_of(settings.policy));
  std::vector<double> times;
  while (!interrupted() && !rule->enough(times)) times.push_back(timed_run(session));
  return times;
}

LatencyPass measure_latency(Session& session, const PassSettings& settings) {
  LatencyPass pass;
  PassEnd end(settings);
  pass.stopping_rule = end.description();
  const double retakes = retakes_of(settings.policy);
  Watch watch(session);
  while (!interrupted()) {
    settings.prepare_sample();
    watch.begin_sample();
    const double sample_s = timed_run(session);
    const SampleMark mark = watch.end_sample(sample_s);
    const double may_be_retaken = retakes * static_cast<double>(pass.samples_s.size());
    if (mark != SampleMark::kNone && static_cast<double>(pass.retaken_s.size()) < may_be_retaken) {
      pass.retaken_s.push_back(sample_s);
      continue;
    }
    watch.keep(sample_s);
    pass.samples_s.push_back(sample_s);
    pass.marks.push_back(mark);
    if (watch.clock_mhz()) pass.clocks_hz.push_back(*watch.clock_mhz() * 1e6);
    if (end.reached(pass.samples_s)) break;
  }
  return pass;
}

std::vector<std::size_t> undisturbed(std::span<const double> wall_s) {
  const double limit = quantile(wall_s, 0.9);
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < wall_s.size(); ++i) {
    if (wall_s[i] <= limit) kept.push_back(i);
  }
  return kept;
}

}  // namespace nongemm
