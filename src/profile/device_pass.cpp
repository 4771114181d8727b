#include "profile/device_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/statistics.h"
#include "profile/reconstruction.h"
#include "profile/step_times.h"
#include "profile/timing_pass.h"
#include "record/decomposition.h"

namespace nongemm {
namespace {

constexpr std::size_t kAttributionRuns = 5;
constexpr int kReplayWarmUp = 10;

/// What the attribution pass leaves.
struct Attribution {
  Trace reference;
  std::vector<Trace> traces;
  Trace shortest;
  std::vector<double> wall_s;
  std::vector<Decomposition> parts;
  KernelSums kernels;
  std::vector<double> host_s;  // by NodeId, mean
  std::vector<double> wait_s;
  std::vector<double> calls;
};

Attribution attribute_nodes(Session& session, const Graph& graph, std::size_t runs) {
  const std::size_t count = traced_nodes(session, graph);
  Attribution result;
  result.host_s.resize(count);
  result.wait_s.resize(count);
  result.calls.resize(count);
  for (std::size_t i = 0; i < kFirstRuns + runs && (result.parts.empty() || !interrupted()); ++i) {
    session.run_traced(TraceLevel::kAttribution, result.reference);
    if (i < kFirstRuns) continue;
    align_to_window(result.reference);
    result.wall_s.push_back(wall_of(result.reference));
    if (result.wall_s.back() <= *std::min_element(result.wall_s.begin(), result.wall_s.end())) {
      result.shortest = result.reference;
    }
    result.parts.push_back(decompose(result.reference, count));
    result.kernels.add(result.reference);
    const std::vector<double> times = host_time(result.reference, count);
    const std::vector<double> waits = wait_time(result.reference, count);
    for (std::size_t n = 0; n < count; ++n) {
      result.host_s[n] += times[n] * 1e-9;
      result.wait_s[n] += waits[n] * 1e-9;
    }
    for (const NodeSpan& span : result.reference.nodes) result.calls[span.node] += 1;
    result.traces.push_back(result.reference);
  }
  const double scale = 1.0 / static_cast<double>(result.parts.size());
  for (double& time : result.host_s) time *= scale;
  for (double& time : result.wait_s) time *= scale;
  for (double& calls : result.calls) calls *= scale;
  return result;
}

/// The mean over undisturbed iterations.
Decomposition undisturbed_mean(const std::vector<Decomposition>& parts, NodePass& pass) {
  std::vector<double> walls;
  for (const Decomposition& part : parts) {
    walls.push_back(part.wall_ns);
    pass.inside_s.push_back(part.device_ns() * 1e-9);
  }
  std::vector<Decomposition> kept;
  for (const std::size_t i : undisturbed(walls)) kept.push_back(parts[i]);
  pass.averaged = static_cast<int>(kept.size());
  return mean_of(kept);
}

void fill(NodePass& pass, const Decomposition& measured, double plain_s) {
  const Decomposition parts = without_overhead(measured, plain_s * 1e9);
  pass.mean_wall_s = parts.wall_ns * 1e-9;
  pass.recorded_s = measured.wall_ns * 1e-9;
  pass.nodes.resize(parts.nodes.size());
  for (std::size_t i = 0; i < parts.nodes.size(); ++i) {
    pass.nodes[i].device_s = parts.nodes[i].device_ns * 1e-9;
    pass.nodes[i].gap_s = parts.nodes[i].gap_ns * 1e-9;
    pass.nodes[i].kernels = parts.nodes[i].records;
  }
  pass.device_busy_s = parts.device_ns() * 1e-9;
  pass.gap_s = parts.gap_ns() * 1e-9;
  pass.head_s = parts.head_ns * 1e-9;
  pass.tail_s = parts.tail_ns * 1e-9;
  pass.attributed = parts.attributed_share();
  pass.kernel_records = true;
  pass.outside_s = (parts.remainder_ns() + parts.unattributed.device_ns) * 1e-9;
}

/// Host times alone, for devices that cannot be traced.
NodePass host_only(Session& session, const Graph& graph, const std::string& reason) {
  NodePass pass;
  pass.how = session.trace_source(TraceLevel::kHost) + "; device times not measured: " + reason;
  Trace trace;
  session.run_traced(TraceLevel::kHost, trace);
  pass.wall_s.push_back(wall_of(trace));
  pass.nodes.resize(traced_nodes(session, graph));
  for (const NodeSpan& span : trace.nodes) {
    pass.nodes[span.node].host_s += static_cast<double>(span.end_ns - span.begin_ns) * 1e-9;
    pass.nodes[span.node].calls += 1;
  }
  return pass;  // averaged stays 0: host times of launches are no latency
}

/// What the pass is made of in the end, and how.
struct ChosenTiming {
  Timing timing;
  std::string how;
  /// What the parts are scaled to; nothing where they are of plain inferences already.
  std::optional<double> scaled_to_s;
  std::optional<Reconstruction> reconstruction;
};

/// Reconstructed inferences, where the queue model stands its tests.
ChosenTiming choose_by_model(Session& session, const Graph& graph, const PassSettings& settings,
                             const Attribution& attribution, double plain_s) {
  ChosenTiming chosen;
  const double busy_s = mean_of(attribution.parts).device_ns() * 1e-9;
  auto built = reconstruct(session, graph, settings, attribution.traces, busy_s, plain_s);
  if (!built) return chosen;
  chosen.reconstruction = std::move(built->figures);
  if (!chosen.reconstruction->rejected.empty()) return chosen;
  chosen.timing = std::move(built->timing);
  chosen.how = fmt::format(
      "host spans of {} plain inferences through a model of the device's queue, durations of {} "
      "recorded ones, nodes by order and name from {}",
      chosen.reconstruction->inferences, built->recorded, session.trace_source(TraceLevel::kAttribution));
  return chosen;
}

/// Recorded inferences: the timing pass's, or, when its kernels do not match, the attribution pass's.
void choose_recorded(Session& session, const Graph& graph, const PassSettings& settings, Attribution& attribution,
                     double plain_s, ChosenTiming& chosen) {
  const double busy_s = mean_of(attribution.parts).device_ns() * 1e-9;
  Timing timing = time_nodes(session, traced_nodes(session, graph), settings, attribution.reference, busy_s, plain_s);
  const std::string source = session.trace_source(TraceLevel::kAttribution);
  if (timing.least_matched >= kEnoughMatched) {
    chosen.how = timing.windows > 1 ? fmt::format("kernel records, one of {} windows in each inference, {} rounds",
                                                  timing.windows, timing.parts.size())
                                    : "kernel records";
    chosen.how += ", nodes by order and name from " + source;
  } else {
    chosen.how = fmt::format("kernel records of {}: only {:.1f} % of kernel time matched a lighter pass's records",
                             source, 100.0 * timing.least_matched);
    timing.wall_s = attribution.wall_s;
    timing.parts = attribution.parts;
    timing.kernels = attribution.kernels;
    timing.plain_s.clear();  // these were no turns with the attribution's runs
  }
  if (chosen.reconstruction) chosen.how += "; the queue model was not used: " + chosen.reconstruction->rejected;
  chosen.timing = std::move(timing);
  // Ranks that are recorded wait for one another longer, and then a plain inference has no room for the kernels.
  constexpr double kClearlyMore = 1.05;
  if (mean_of(chosen.timing.parts).device_ns() * 1e-9 <= kClearlyMore * plain_s) {
    chosen.scaled_to_s = plain_s;
  } else {
    chosen.how += "; parts are of recorded inferences, whose kernels take longer than a plain one";
  }
}

/// What the policy leaves after `spent_s`.
PassSettings left_of(PassSettings settings, double spent_s) {
  settings.policy = with_seconds(settings.policy, std::max(0.0, seconds_of(settings.policy, 0) - spent_s));
  return settings;
}

}  // namespace

NodePass measure_on_device(Session& session, const Graph& graph, const PassSettings& settings, double plain_s) {
  NodePass pass;
  try {
    Attribution attribution = attribute_nodes(session, graph, kAttributionRuns);
    const Stopwatch watch;
    ChosenTiming chosen = choose_by_model(session, graph, settings, attribution, plain_s);
    attribution.traces.clear();
    if (chosen.how.empty()) {
      const PassSettings rest = chosen.reconstruction ? left_of(settings, watch.seconds()) : settings;
      choose_recorded(session, graph, rest, attribution, plain_s, chosen);
    }
    const Decomposition mean = undisturbed_mean(chosen.timing.parts, pass);
    fill(pass, mean, chosen.scaled_to_s.value_or(mean.wall_ns * 1e-9));
    pass.how = std::move(chosen.how);
    pass.reconstruction = std::move(chosen.reconstruction);
    pass.wall_s = std::move(chosen.timing.wall_s);
    pass.plain_s = std::move(chosen.timing.plain_s);
    pass.kernels = chosen.timing.kernels.mean();
    pass.example = std::move(attribution.shortest);
    pass.example->calls.clear();  // thousands, which nobody reads
    for (std::size_t i = 0; i < pass.nodes.size(); ++i) {
      pass.nodes[i].host_s = attribution.host_s[i];
      pass.nodes[i].wait_s = attribution.wait_s[i];
      pass.nodes[i].calls = attribution.calls[i];
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    if (const auto steps = measure_steps(session, settings)) {
      return node_pass_of(*steps, plain_s,
                          std::string("the runtime's own times of its steps; kernels not measured: ") + error.what());
    }
    return host_only(session, graph, error.what());
  }
  return pass;
}

Phase measure_replay(Session& session, const Graph& graph, const PassSettings& settings) {
  Phase replay;
  replay.kind = PhaseKind::kReplay;
  NodePass& pass = replay.devices.emplace_back().nodes;
  std::optional<Attribution> eager;
  std::string not_measured;
  try {
    eager = attribute_nodes(session, graph, 1);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    not_measured = error.what();
  }
  session.end_tracing();
  session.capture();
  PassSettings warming = settings;
  warming.policy.warmup = kReplayWarmUp;
  std::vector<double> warmup_s = warm_up(session, warming);
  replay.latency = measure_latency(session, settings);
  replay.latency.warmup_s = std::move(warmup_s);
  const std::vector<double>& samples_s = replay.latency.samples_s;
  pass.nodes.resize(traced_nodes(session, graph));
  pass.how = "device times not measured: " + not_measured;
  if (!eager || samples_s.empty()) return replay;
  try {
    Timing timing = time_replay(session, traced_nodes(session, graph), settings, eager->reference, median(samples_s));
    pass.how = "kernel records of the replay, nodes by order";
    if (timing.least_matched < kEnoughMatched) {
      pass.how += fmt::format(" and name; {:.1f} % of kernel time could be matched", 100.0 * timing.least_matched);
    }
    fill(pass, undisturbed_mean(timing.parts, pass), median(samples_s));
    pass.wall_s = std::move(timing.wall_s);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    pass.how = std::string("device times not measured: ") + error.what();
  }
  return replay;
}

}  // namespace nongemm
