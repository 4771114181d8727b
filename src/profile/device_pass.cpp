#include "profile/device_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/error.h"
#include "profile/step_times.h"
#include "profile/stopping.h"
#include "profile/timeline.h"
#include "profile/windows.h"

namespace nongemm {
namespace {

/// CUPTI sets itself up during the first traced inference.
constexpr std::size_t kFirstRuns = 2;
constexpr std::size_t kAttributionRuns = 5;
/// Less matched kernel time than this is no match.
constexpr double kEnoughMatched = 0.995;
/// A device that is busy for longer than this share of an inference does not wait for launches: recording them all
/// slows nothing.
constexpr double kDeviceBound = 0.95;
/// More windows hardly lessen the cost: CUPTI takes most of it for being there.
constexpr std::size_t kMostWindows = 8;

/// What the attribution pass leaves.
struct Attribution {
  Trace reference;
  std::vector<double> wall_s;
  std::vector<Decomposition> parts;
  KernelSums kernels;
  std::vector<double> host_s;  // by NodeId, mean
  std::vector<double> wait_s;
  std::vector<double> calls;
};

double wall_of(const Trace& trace) { return static_cast<double>(trace.end_ns - trace.begin_ns) * 1e-9; }

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
    result.parts.push_back(decompose(result.reference, count));
    result.kernels.add(result.reference);
    const std::vector<double> times = host_time(result.reference, count);
    const std::vector<double> waits = wait_time(result.reference, count);
    for (std::size_t n = 0; n < count; ++n) {
      result.host_s[n] += times[n] * 1e-9;
      result.wait_s[n] += waits[n] * 1e-9;
    }
    for (const NodeSpan& span : result.reference.nodes) result.calls[span.node] += 1;
  }
  const double scale = 1.0 / static_cast<double>(result.parts.size());
  for (double& time : result.host_s) time *= scale;
  for (double& time : result.wait_s) time *= scale;
  for (double& calls : result.calls) calls *= scale;
  return result;
}

/// The mean over iterations that are not slower than the 90th percentile.
Decomposition undisturbed_mean(const std::vector<Decomposition>& parts, int& averaged) {
  std::vector<double> walls;
  for (const Decomposition& part : parts) walls.push_back(part.wall_ns);
  const double limit = quantile(walls, 0.9);
  std::vector<Decomposition> kept;
  std::copy_if(parts.begin(), parts.end(), std::back_inserter(kept),
               [&](const Decomposition& part) { return part.wall_ns <= limit; });
  averaged = static_cast<int>(kept.size());
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

struct Timing {
  std::vector<double> wall_s;  // of every traced inference
  std::vector<double> plain_s;
  std::vector<Decomposition> parts;  // of every inference whose records are complete
  KernelSums kernels;
  double least_matched = 1.0;
};

/// Plain and traced runs alternate in blocks: a shared host's speed changes by half within seconds, which would
/// otherwise pass for overhead. Short inferences make long blocks, so that switching is rare.
struct Block {
  explicit Block(double plain_s)
      : runs(static_cast<std::size_t>(std::clamp(kBlockSeconds / plain_s, kShortestBlock, kLongestBlock))) {}

  static constexpr double kBlockSeconds = 0.1;
  static constexpr double kShortestBlock = 2;
  static constexpr double kLongestBlock = 10;
  std::size_t runs;
};

/// Really plain: a tracer that is switched off but still attached slows every call by up to a half. The first run after
/// switching is not counted.
void run_plain(Session& session, std::size_t runs, std::vector<double>& plain_s) {
  session.end_tracing();
  session.run();
  for (std::size_t i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    session.run();
    plain_s.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
}

/// Adds one inference. False when too little of its kernel time has a counterpart in the reference.
bool add(Trace& trace, const Trace* reference, std::size_t node_count, Timing& timing) {
  align_to_window(trace);
  const bool known = !trace.device.empty() && std::all_of(trace.device.begin(), trace.device.end(),
                                                          [](const DeviceRecord& r) { return r.node != kNoId; });
  if (!known && reference != nullptr) {
    timing.least_matched = std::min(timing.least_matched, attribute(*reference, trace).matched_time);
  }
  timing.wall_s.push_back(wall_of(trace));
  timing.parts.push_back(decompose(trace, node_count));
  timing.kernels.add(trace);
  return timing.least_matched >= kEnoughMatched;
}

/// @param reference whose nodes the records get; absent when the session knows them itself
/// @param all_match end at the first inference that does not match: its times will not be used
Timing time_kernels(Session& session, std::size_t node_count, const MeasurePolicy& policy, const Trace* reference,
                    double plain_s, bool all_match) {
  const std::unique_ptr<StoppingRule> rule = rule_for(policy);
  const Block block(plain_s);
  Timing timing;
  std::vector<Trace> traces;
  while (!interrupted() || timing.parts.empty()) {
    const std::size_t left =
        policy.iterations ? static_cast<std::size_t>(*policy.iterations) - timing.parts.size() : block.runs;
    const std::size_t runs = std::clamp<std::size_t>(left, 1, block.runs);
    run_plain(session, runs, timing.plain_s);
    traces.resize(kFirstRuns + runs);
    session.run_traced_in_a_row(TraceLevel::kTiming, traces);
    bool enough = false;
    for (std::size_t i = kFirstRuns; i < traces.size() && !enough; ++i) {
      const bool matches = add(traces[i], reference, node_count, timing);
      enough = (all_match && !matches) || rule->enough(timing.wall_s);
    }
    if (enough) break;
  }
  return timing;
}

/// The same, one window of each inference recorded.
/// @return nothing when the session cannot do that, or when records do not match
std::optional<Timing> time_windows(Session& session, std::size_t node_count, MeasurePolicy policy,
                                   const WindowPlan& plan, double plain_s) {
  const std::size_t count = plan.windows().size();
  policy.most_seconds /= static_cast<double>(count);  // the rule counts inferences that were put together
  const std::unique_ptr<StoppingRule> rule = rule_for(policy);
  const std::size_t most_rounds = std::max<std::size_t>(1, Block(plain_s).runs / count);
  Timing timing;
  std::vector<double> joined_s;
  std::vector<Window> windows;
  std::vector<Trace> traces;
  while (!interrupted() || timing.parts.empty()) {
    const std::size_t left =
        policy.iterations ? static_cast<std::size_t>(*policy.iterations) - joined_s.size() : most_rounds;
    const std::size_t rounds = std::clamp<std::size_t>(left, 1, most_rounds);
    windows.assign(plan.windows().begin(), plan.windows().begin() + kFirstRuns);
    for (std::size_t i = 0; i < rounds; ++i)
      windows.insert(windows.end(), plan.windows().begin(), plan.windows().end());
    run_plain(session, rounds * count, timing.plain_s);
    traces.resize(windows.size());
    if (!session.run_traced_windows(windows, traces)) return std::nullopt;
    for (std::size_t i = kFirstRuns; i < traces.size(); ++i) timing.wall_s.push_back(wall_of(traces[i]));
    for (std::size_t i = 0; i < rounds; ++i) {
      const std::span<Trace> parts(traces.data() + kFirstRuns + i * count, count);
      double matched = 0;
      const std::optional<Trace> joined = plan.join(parts, matched);
      if (!joined || matched < kEnoughMatched) return std::nullopt;
      joined_s.push_back(wall_of(*joined));
      timing.parts.push_back(decompose(*joined, node_count));
      timing.kernels.add(*joined);
    }
    if (rule->enough(joined_s)) break;
  }
  return timing;
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

}  // namespace

NodePass measure_on_device(Session& session, const Graph& graph, const MeasurePolicy& policy, double plain_s) {
  NodePass pass;
  try {
    const Attribution attribution = attribute_nodes(session, graph, kAttributionRuns);
    const std::size_t count = traced_nodes(session, graph);
    const std::string source = session.trace_source(TraceLevel::kAttribution);
    const WindowPlan plan(attribution.reference, kMostWindows);
    const bool waits_for_launches = mean_of(attribution.parts).device_ns() * 1e-9 < kDeviceBound * plain_s;
    std::optional<Timing> windowed;
    if (waits_for_launches && plan.windows().size() > 1) {
      windowed = time_windows(session, count, policy, plan, plain_s);
    }
    Timing timing =
        windowed ? std::move(*windowed) : time_kernels(session, count, policy, &attribution.reference, plain_s, true);
    if (windowed) {
      pass.how = fmt::format("kernel records, one of {} windows in each inference, nodes by order and name from {}",
                             plan.windows().size(), source);
    } else if (timing.least_matched >= kEnoughMatched) {
      pass.how = "kernel records, nodes by order and name from " + source;
    } else {
      pass.how = fmt::format("kernel records of {}: only {:.1f} % of kernel time matched a lighter pass's records",
                             source, 100.0 * timing.least_matched);
      timing.wall_s = attribution.wall_s;
      timing.parts = attribution.parts;
      timing.kernels = attribution.kernels;
      timing.plain_s.clear();  // these were no turns with the attribution's runs
    }
    fill(pass, undisturbed_mean(timing.parts, pass.averaged), plain_s);
    pass.wall_s = std::move(timing.wall_s);
    pass.plain_s = std::move(timing.plain_s);
    pass.kernels = timing.kernels.mean();
    for (std::size_t i = 0; i < pass.nodes.size(); ++i) {
      pass.nodes[i].host_s = attribution.host_s[i];
      pass.nodes[i].wait_s = attribution.wait_s[i];
      pass.nodes[i].calls = attribution.calls[i];
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    if (const auto steps = measure_steps(session, policy)) {
      return node_pass_of(*steps, plain_s,
                          std::string("the runtime's own times of its steps; kernels not measured: ") + error.what());
    }
    return host_only(session, graph, error.what());
  }
  return pass;
}

ReplayMeasurement measure_replay(Session& session, const Graph& graph, const MeasurePolicy& policy) {
  ReplayMeasurement replay;
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
  for (int i = 0; i < 10; ++i) session.run();
  const std::unique_ptr<StoppingRule> rule = rule_for(policy);
  while (!interrupted() || replay.latency_s.empty()) {
    const auto begin = std::chrono::steady_clock::now();
    session.run();
    replay.latency_s.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    if (rule->enough(replay.latency_s)) break;
  }
  replay.nodes.nodes.resize(traced_nodes(session, graph));
  replay.nodes.how = "device times not measured: " + not_measured;
  if (!eager) return replay;
  try {
    Timing timing =
        time_kernels(session, traced_nodes(session, graph), policy, &eager->reference, median(replay.latency_s), false);
    replay.nodes.how = "kernel records of the replay, nodes by order";
    if (timing.least_matched < kEnoughMatched) {
      replay.nodes.how +=
          fmt::format(" and name; {:.1f} % of kernel time could be matched", 100.0 * timing.least_matched);
    }
    fill(replay.nodes, undisturbed_mean(timing.parts, replay.nodes.averaged), median(replay.latency_s));
    replay.nodes.wall_s = std::move(timing.wall_s);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    replay.nodes.how = std::string("device times not measured: ") + error.what();
  }
  return replay;
}

}  // namespace nongemm
