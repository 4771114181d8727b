#include "profile/measurement.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "profile/stopping.h"
#include "profile/timeline.h"

namespace nongemm {
namespace {

double timed_run(Session& session) {
  const auto begin = std::chrono::steady_clock::now();
  session.run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Runs until caches, allocators and clocks have settled: at least three times and 0.3 s, at most 50 times or 3 s.
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
    } else if (!times.empty() && ((times.size() >= kLeast && total >= kLeastSeconds) || times.size() >= kMost ||
                                  total >= kMostSeconds)) {
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
  pass.how = "host spans";
  const std::unique_ptr<StoppingRule> rule = rule_for(policy);
  std::vector<TracedRun> runs;
  Trace trace;
  while (!interrupted()) {
    session.run_traced(TraceLevel::kHost, trace);
    runs.push_back(host_times(trace, graph.nodes.size()));
    pass.wall_s.push_back(runs.back().wall_s);
    if (rule->enough(pass.wall_s)) break;
  }
  average(runs, pass);
  return pass;
}

/// Records of the device. First with everything that tells which node launched what; then, as often as the rule wants,
/// kernels alone, matched to those by order and name. When that fails (data decides what runs) the heavier records are
/// used throughout, and `how` says so.
class DevicePass {
 public:
  DevicePass(Session& session, const Graph& graph, const MeasurePolicy& policy)
      : session_(session), graph_(graph), rule_(rule_for(policy)) {}

  NodePass run(double plain_wall_s) {
    attribute_once();
    bool light = true;
    while (!interrupted()) {
      Trace trace;
      if (light) {
        session_.run_traced(TraceLevel::kTiming, trace);
        const RecordMatch match = nongemm::attribute(reference_, trace);
        constexpr double kEnough = 0.995;  // of the kernel time
        if (match.matched_time < kEnough) {
          light = false;
          pass_.wall_s.clear();
          parts_.clear();
          continue;
        }
      } else {
        session_.run_traced(TraceLevel::kAttribution, trace);
      }
      align_to_window(trace);
      parts_.push_back(decompose(trace, graph_.nodes.size()));
      pass_.wall_s.push_back(parts_.back().wall_ns * 1e-9);
      if (rule_->enough(pass_.wall_s)) break;
    }
    pass_.how = light ? "kernel records, matched to nodes by an attribution run"
                      : "kernel, API and correlation records: kernels differ from run to run";
    fill(plain_wall_s);
    return std::move(pass_);
  }

 private:
  void attribute_once() {
    // The first traced run pays for the tracer's own set-up.
    Trace first;
    session_.run_traced(TraceLevel::kAttribution, first);
    session_.run_traced(TraceLevel::kAttribution, reference_);
  }

  void fill(double plain_wall_s) {
    if (parts_.empty()) return;
    const double limit = quantile(pass_.wall_s, 0.9);
    std::vector<Decomposition> calm;
    for (const Decomposition& part : parts_) {
      if (part.wall_ns * 1e-9 <= limit) calm.push_back(part);
    }
    pass_.averaged = static_cast<int>(calm.size());
    const Decomposition parts = without_overhead(mean_of(calm), plain_wall_s * 1e9);
    pass_.mean_wall_s = parts.wall_ns * 1e-9;
    pass_.device_busy_s = parts.device_ns() * 1e-9;
    pass_.gap_s = parts.gap_ns() * 1e-9;
    pass_.head_s = parts.head_ns * 1e-9;
    pass_.tail_s = parts.tail_ns * 1e-9;
    pass_.attributed = parts.attributed_share();
    pass_.outside_s = (parts.remainder_ns() + parts.unattributed.device_ns) * 1e-9;
    const std::vector<double> host = host_time(reference_, graph_.nodes.size());
    pass_.nodes.resize(graph_.nodes.size());
    for (std::size_t i = 0; i < pass_.nodes.size(); ++i) {
      NodeTime& node = pass_.nodes[i];
      node.device_s = parts.nodes[i].device_ns * 1e-9;
      node.gap_s = parts.nodes[i].gap_ns * 1e-9;
      node.kernels = parts.nodes[i].records;
      node.host_s = host[i] * 1e-9;
    }
    for (const NodeSpan& span : reference_.nodes) pass_.nodes[span.node].calls += 1;
  }

  Session& session_;
  const Graph& graph_;
  std::unique_ptr<StoppingRule> rule_;
  Trace reference_;
  std::vector<Decomposition> parts_;
  NodePass pass_;
};

/// Without a tracer (another profiler holds it, the driver forbids it) latency and memory still are worth having.
NodePass device_pass(Session& session, const Graph& graph, const MeasurePolicy& policy, double plain_wall_s) {
  try {
    return DevicePass(session, graph, policy).run(plain_wall_s);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    NodePass pass;
    pass.how = std::string("not measured: ") + error.what();
    return pass;
  }
}

}  // namespace

Measurement measure(Session& session, const Graph& graph, const MeasurePolicy& policy, bool on_device) {
  Measurement result;
  result.warmup_s = warm_up(session, policy);
  const std::unique_ptr<StoppingRule> rule = rule_for(policy);
  result.stopping_rule = rule->description();
  while (!interrupted()) {
    result.latency_s.push_back(timed_run(session));
    if (rule->enough(result.latency_s)) break;
  }
  if (!interrupted()) {
    result.nodes = on_device ? device_pass(session, graph, policy, median(result.latency_s))
                             : host_pass(session, graph, policy);
  }
  if (!interrupted()) result.memory = session.run_for_memory();
  if (!interrupted()) result.observed = session.run_for_types();
  result.incomplete = interrupted();
  return result;
}

}  // namespace nongemm
