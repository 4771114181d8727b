// The one way of taking samples: every pass, of a model or of a single operator, warms up, is timed and ends by these.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/statistics.h"
#include "flows/flow.h"
#include "profile/stopping.h"
#include "record/latency_pass.h"
#include "spec/measure_policy.h"

namespace nongemm {

struct PassSettings {
  MeasurePolicy policy;
  /// Called before each sample and not timed: writes over the caches. May be empty.
  std::function<void()> before_sample = {};
  /// Whether times on a device may be of inferences that nothing recorded (reconstruction.h): all of these have the
  /// same kernels' durations, so a caller who wants samples of device time wants records.
  bool may_reconstruct = true;

  void prepare_sample() const {
    if (before_sample) before_sample();
  }
};

/// When a pass ends: as its rule says, or when what no sample counts (`before_sample`) has taken too long.
class PassEnd {
 public:
  explicit PassEnd(const PassSettings& settings);

  bool reached(std::span<const double> samples);
  std::string description() const { return rule_->description(); }

 private:
  std::unique_ptr<StoppingRule> rule_;
  std::optional<double> patience_s_;  // of the clock on the wall
  Stopwatch watch_;
};

/// Notices what disturbs samples.
class Watch {
 public:
  /// @param session whose device is asked for throttling now and then
  explicit Watch(Session& session);

  void begin_sample();
  /// Held against the samples that were kept so far.
  SampleMark end_sample(double sample_s);
  void keep(double sample_s) { kept_.add(sample_s); }
  /// Of the device's multiprocessors during the last sample, as far as it was asked.
  std::optional<int> clock_mhz() const { return state_.sm_clock_mhz; }

 private:
  bool device_throttled(double sample_s);

  Session& session_;
  RunningMedian kept_;
  long switches_ = 0;
  double since_asked_s_ = 0;
  DeviceState state_;
};

/// How many nodes the session's traces count: the steps of the runtime's program, or the graph's nodes.
std::size_t traced_nodes(const Session& session, const Graph& graph);

/// One plain inference, in seconds.
double timed_run(Session& session);

/// Runs until caches, allocators and clocks have settled, or as the policy says; the times of all runs.
std::vector<double> warm_up(Session& session, const PassSettings& settings);

/// Wall times, nothing recorded. No warm-up. Without samples when it was interrupted at once.
LatencyPass measure_latency(Session& session, const PassSettings& settings);

/// The iterations that means are over, in every pass: those not slower than the 90th percentile.
std::vector<std::size_t> undisturbed(std::span<const double> wall_s);

}  // namespace nongemm
