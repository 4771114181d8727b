#include "profile/host_pass.h"

#include <limits>

#include "base/interrupt.h"

namespace nongemm {
namespace {

struct TracedRun {
  double inside_s = 0;
  std::vector<NodeTime> nodes;
};

TracedRun host_times(const Trace& trace, std::size_t node_count) {
  TracedRun run;
  run.nodes.resize(node_count);
  for (const NodeSpan& span : trace.nodes) {
    const double seconds = static_cast<double>(span.end_ns - span.begin_ns) * 1e-9;
    run.nodes[span.node].host_s += seconds;
    run.nodes[span.node].calls += 1;
    run.inside_s += seconds;
  }
  return run;
}

void average(const std::vector<TracedRun>& runs, NodePass& pass) {
  const std::vector<std::size_t> kept = undisturbed(pass.wall_s);
  if (kept.empty()) return;
  pass.averaged = static_cast<int>(kept.size());
  pass.nodes.resize(runs.front().nodes.size());
  const double part = 1.0 / static_cast<double>(kept.size());
  double inside_s = 0;
  for (const std::size_t i : kept) {
    pass.mean_wall_s += part * pass.wall_s[i];
    inside_s += part * runs[i].inside_s;
    for (std::size_t n = 0; n < pass.nodes.size(); ++n) {
      pass.nodes[n].host_s += part * runs[i].nodes[n].host_s;
      pass.nodes[n].calls += part * runs[i].nodes[n].calls;
    }
  }
  pass.outside_s = pass.mean_wall_s - inside_s;
}

}  // namespace

NodePass measure_on_host(Session& session, std::size_t node_count, const PassSettings& settings) {
  NodePass pass;
  pass.how = session.trace_source(TraceLevel::kHost);
  PassEnd end(settings);
  std::vector<TracedRun> runs;
  Trace trace;
  double shortest_s = std::numeric_limits<double>::infinity();
  while (!interrupted()) {
    settings.prepare_sample();
    pass.plain_s.push_back(timed_run(session));
    settings.prepare_sample();
    session.run_traced(TraceLevel::kHost, trace);
    pass.wall_s.push_back(static_cast<double>(trace.end_ns - trace.begin_ns) * 1e-9);
    runs.push_back(host_times(trace, node_count));
    pass.inside_s.push_back(runs.back().inside_s);
    if (pass.wall_s.back() <= shortest_s) {
      shortest_s = pass.wall_s.back();
      pass.example = trace;
    }
    if (end.reached(pass.wall_s)) break;
  }
  average(runs, pass);
  return pass;
}

}  // namespace nongemm
