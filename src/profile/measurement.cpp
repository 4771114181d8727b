#include "profile/measurement.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/statistics.h"
#include "profile/device_pass.h"
#include "profile/step_times.h"

namespace nongemm {

double timed_run(Session& session) {
  const auto begin = std::chrono::steady_clock::now();
  session.run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// At least three times and 0.3 s, at most 50 times or 3 s.
std::vector<double> warm_up(Session& session, const MeasurePolicy& policy) {
  constexpr std::size_t kLeast = 3;
  constexpr std::size_t kMost = 50;
  constexpr double kLeastSeconds = 0.3;
  constexpr double kMostSeconds = 3.0;
  std::vector<double> times;
  double total = 0;
  while (!interrupted()) {
    if (policy.warmup) {
      if (times.size() >= static_cast<std::size_t>(*policy.warmup)) break;
    } else if (!times.empty() &&
               ((times.size() >= kLeast && total >= kLeastSeconds) || times.size() >= kMost || total >= kMostSeconds)) {
      break;
    }
    times.push_back(timed_run(session));
    total += times.back();
  }
  return times;
}

std::unique_ptr<StoppingRule> rule_for(const MeasurePolicy& policy) {
  if (policy.iterations) return stop_after(*policy.iterations);
  IntervalRule rule;
  rule.most_seconds = policy.most_seconds;
  return stop_at_interval(rule);
}

namespace {

struct TracedRun {
  double wall_s = 0;
  std::vector<NodeTime> nodes;
};

TracedRun host_times(const Trace& trace, std::size_t node_count) {
  TracedRun run;
  run.wall_s = static_cast<double>(trace.end_ns - trace.begin_ns) * 1e-9;
  run.nodes.resize(node_count);
  for (const NodeSpan& span : trace.nodes) {
    run.nodes[span.node].host_s += static_cast<double>(span.end_ns - span.begin_ns) * 1e-9;
    run.nodes[span.node].calls += 1;
  }
  return run;
}

/// Means over the undisturbed iterations: those not slower than the 90th percentile.
void average(const std::vector<TracedRun>& runs, NodePass& pass) {
  const double limit = quantile(pass.wall_s, 0.9);
  for (const TracedRun& run : runs) {
    if (run.wall_s > limit) continue;
    ++pass.averaged;
    pass.mean_wall_s += run.wall_s;
    pass.nodes.resize(run.nodes.size());
    for (std::size_t i = 0; i < run.nodes.size(); ++i) {
      pass.nodes[i].host_s += run.nodes[i].host_s;
      pass.nodes[i].calls += run.nodes[i].calls;
    }
  }
  if (pass.averaged == 0) return;
  const double scale = 1.0 / pass.averaged;
  pass.mean_wall_s *= scale;
  double inside = 0;
  for (NodeTime& node : pass.nodes) {
    node.host_s *= scale;
    node.calls *= scale;
    inside += node.host_s;
  }
  pass.outside_s = pass.mean_wall_s - inside;
}

NodePass host_pass(Session& session, const Graph& graph, const MeasurePolicy& policy) {
  NodePass pass;
  pass.how = session.trace_source(TraceLevel::kHost);
  const std::unique_ptr<StoppingRule> rule = rule_for(policy);
  std::vector<TracedRun> runs;
  const std::size_t count = traced_nodes(session, graph);
  Trace trace;
  while (!interrupted()) {
    pass.plain_s.push_back(timed_run(session));
    session.run_traced(TraceLevel::kHost, trace);
    runs.push_back(host_times(trace, count));
    pass.wall_s.push_back(runs.back().wall_s);
    if (rule->enough(pass.wall_s)) break;
  }
  average(runs, pass);
  return pass;
}

/// Absent where the runtime does not tell.
std::optional<MemoryUse> memory_use(Session& session) {
  try {
    return session.run_for_memory();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return std::nullopt;
  }
}

}  // namespace

std::size_t traced_nodes(const Session& session, const Graph& graph) {
  const RuntimeProgram* program = session.program();
  return program != nullptr ? program->nodes.size() : graph.nodes.size();
}

Record measure(Session& session, std::shared_ptr<const Graph> graph, const MeasurePolicy& policy, bool on_device) {
  Record record;
  Entry& entry = record.entries.emplace_back();
  entry.graph = std::move(graph);
  record.devices.emplace_back().is_host = !on_device;
  Phase& phase = record.phases.emplace_back();
  DevicePhase& device = phase.devices.emplace_back();
  std::vector<double>& samples_s = phase.latency.samples_s;
  phase.latency.warmup_s = warm_up(session, policy);
  const std::unique_ptr<StoppingRule> rule = rule_for(policy);
  phase.latency.stopping_rule = rule->description();
  device.before = session.device_state();
  while (!interrupted()) {
    samples_s.push_back(timed_run(session));
    if (rule->enough(samples_s)) break;
  }
  device.after = session.device_state();
  if (!interrupted()) {
    device.nodes = on_device ? measure_on_device(session, *entry.graph, policy, median(samples_s))
                             : host_pass(session, *entry.graph, policy);
  }
  session.end_tracing();
  if (!interrupted()) device.steps = measure_steps(session, policy);
  if (!interrupted()) device.memory = memory_use(session);
  if (!interrupted()) entry.observed = session.run_for_types();
  if (const RuntimeProgram* program = session.program()) entry.program = *program;
  record.incomplete = interrupted();
  return record;
}

}  // namespace nongemm
