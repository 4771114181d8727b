#include "profile/reconstruction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/statistics.h"
#include "profile/host_speeds.h"
#include "profile/queue_check.h"
#include "profile/queue_plan.h"
#include "record/decomposition.h"

namespace nongemm {
namespace {

/// Beyond this the model is not used: of the latency, for kernels' begins, gaps and the latency itself.
constexpr double kMostError = 0.03;
/// Plain inferences and recorded ones alternate in blocks, as speeds of hosts and devices drift.
constexpr double kBlockSeconds = 0.1;
constexpr double kLongestBlock = 10;
/// How many inferences are recorded: as many as this time holds.
constexpr double kRecordedSeconds = 0.5;
constexpr double kLeastRecorded = 6;
constexpr double kMostRecorded = 40;
/// Recording so many inferences of more would take minutes, to tell what hardly shows.
constexpr double kLongestInference = 1.0;
/// Spans of more inferences are not kept.
constexpr std::size_t kMostKept = 200;
/// So many of the plain inferences may run other nodes than the attributed ones.
constexpr double kMostOther = 0.2;

struct Collected {
  std::vector<double> plain_s;
  std::vector<double> wall_s;  // of plain inferences with spans
  std::vector<Trace> plain;    // the first of these
  std::vector<Trace> recorded;
};

/// Plain inferences in turns with ones of which spans are noted.
/// @return whether the pass has enough of them
bool run_plain(Session& session, std::size_t runs, PassEnd& end, Collected& collected) {
  session.end_tracing();
  session.run();
  for (std::size_t i = 0; i < runs; ++i) {
    collected.plain_s.push_back(timed_run(session));
    Trace trace;
    session.run_traced(TraceLevel::kHost, trace);
    collected.wall_s.push_back(wall_of(trace));
    if (collected.plain.size() < kMostKept) collected.plain.push_back(std::move(trace));
    if (end.reached(collected.wall_s)) return true;
  }
  return false;
}

void run_recorded(Session& session, std::size_t runs, Collected& collected) {
  std::vector<Trace> traces(kFirstRuns + runs);
  session.run_traced_in_a_row(TraceLevel::kTimingSpans, traces);
  std::move(traces.begin() + kFirstRuns, traces.end(), std::back_inserter(collected.recorded));
}

Collected collect(Session& session, const PassSettings& settings, double plain_s) {
  const auto block = static_cast<std::size_t>(std::clamp(kBlockSeconds / plain_s, 2.0, kLongestBlock));
  const auto records = static_cast<std::size_t>(std::clamp(kRecordedSeconds / plain_s, kLeastRecorded, kMostRecorded));
  PassEnd end(settings);
  Collected collected;
  bool enough = false;
  while (!interrupted() || collected.plain.empty()) {
    enough = enough || run_plain(session, block, end, collected);
    if (collected.recorded.size() < records) run_recorded(session, block, collected);
    if (enough && collected.recorded.size() >= records) break;
  }
  return collected;
}

/// Plain inferences as the model puts them together.
struct Reconstructed {
  std::vector<Trace> traces;
  std::vector<double> wall_s;  // measured
  std::vector<double> ratio;   // reconstructed over measured
};

Reconstructed put_together(const QueuePlan& plan, const QueueConstants& constants, const Trace& order,
                           std::span<const Trace> plain) {
  Reconstructed result;
  for (const Trace& host : plain) {
    const bool same = std::equal(host.nodes.begin(), host.nodes.end(), order.nodes.begin(), order.nodes.end(),
                                 [](const NodeSpan& a, const NodeSpan& b) { return a.node == b.node; });
    if (!same) continue;
    result.traces.push_back(run_queue(plan, host, constants));
    result.wall_s.push_back(wall_of(host));
    result.ratio.push_back(wall_of(result.traces.back()) / result.wall_s.back());
  }
  return result;
}

/// By operator, its share of the time in which the device waits for nodes.
std::map<std::string, double> idle_shares(std::span<const Decomposition> parts, const Graph& graph, bool steps) {
  const Decomposition mean = mean_of(parts);
  std::map<std::string, double> shares;
  for (std::size_t i = 0; i < mean.nodes.size(); ++i) {
    const std::string name = steps || i >= graph.nodes.size() ? fmt::format("step {}", i) : graph.nodes[i].op;
    shares[name] += mean.nodes[i].gap_ns / std::max(1.0, mean.gap_ns());
  }
  return shares;
}

double halves_apart(std::span<const Decomposition> parts, const Graph& graph, bool steps) {
  std::array<std::vector<Decomposition>, 2> halves;
  for (std::size_t i = 0; i < parts.size(); ++i) halves[i % 2].push_back(parts[i]);
  if (halves[1].empty()) return 0;
  const auto one = idle_shares(halves[0], graph, steps);
  double most = 0;
  for (const auto& [name, share] : idle_shares(halves[1], graph, steps)) {
    most = std::max(most, std::abs(share - one.at(name)));
  }
  return most;
}

HostSpeed speed_of(std::span<const Decomposition> parts) {
  const Decomposition mean = mean_of(parts);
  HostSpeed speed;
  speed.inferences = static_cast<int>(parts.size());
  speed.wall_s = mean.wall_ns * 1e-9;
  speed.device_s = mean.device_ns() * 1e-9;
  speed.gap_s = mean.gap_ns() * 1e-9;
  speed.head_s = mean.head_ns * 1e-9;
  speed.tail_s = mean.tail_ns * 1e-9;
  return speed;
}

std::string objection(const Reconstruction& figures, double wall_s) {
  if (!(std::abs(figures.latency - 1) <= kMostError)) {
    return fmt::format("it makes the latency {:.3f} times what it is", figures.latency);
  }
  if (figures.start_error_s > kMostError * wall_s) {
    return fmt::format("kernels of recorded inferences begin {:.1f} us from where it has them, in the mean",
                       1e6 * figures.start_error_s);
  }
  if (figures.gap_error > kMostError) {
    return fmt::format("gaps of recorded inferences differ from its by {:.1f} % of the latency, in sum",
                       100 * figures.gap_error);
  }
  return "";
}

/// Fills in everything but wall times.
void evaluate(const QueueSources& sources, const QueueTimes& times, std::span<const Trace> plain, const Graph& graph,
              const Session& session, ReconstructedTiming& result) {
  const std::size_t nodes = traced_nodes(session, graph);
  std::vector<double> recorded_s;
  for (const Trace& trace : sources.recorded()) recorded_s.push_back(wall_of(trace));
  std::vector<std::size_t> quiet = undisturbed(recorded_s);
  if (quiet.size() < 2) quiet = {0, 1};
  result.recorded = quiet.size();
  Reconstruction& figures = result.figures;
  const QueueErrors errors = check_queue(sources, quiet, times, nodes);
  figures.start_error_s = errors.start_ns * 1e-9;
  figures.gap_error = errors.gap_ns / errors.wall_ns;
  const QueuePlan plan = plan_queue(sources, quiet, times, QueueCondition::kPlain);
  const Reconstructed built =
      put_together(plan, constants_of(times, QueueCondition::kPlain), sources.attributed().front(), plain);
  if (static_cast<double>(built.traces.size()) < (1 - kMostOther) * static_cast<double>(plain.size())) {
    figures.rejected = "inferences differ in what they run";
    return;
  }
  figures.inferences = static_cast<int>(built.traces.size());
  figures.latency = median(built.ratio);
  for (const std::vector<std::size_t>& speed : host_speeds(built.wall_s)) {
    std::vector<Decomposition> parts;
    for (const std::size_t i : speed) parts.push_back(decompose(built.traces[i], nodes));
    figures.speeds.push_back(speed_of(parts));
    if (!result.timing.parts.empty()) continue;
    for (const std::size_t i : speed) result.timing.kernels.add(built.traces[i]);
    figures.halves_apart = halves_apart(parts, graph, session.program() != nullptr);
    result.timing.parts = std::move(parts);
  }
  figures.rejected = objection(figures, errors.wall_ns * 1e-9);
}

}  // namespace

std::optional<ReconstructedTiming> reconstruct(Session& session, const Graph& graph, const PassSettings& settings,
                                               std::span<const Trace> attributed, double busy_s, double plain_s) {
  if (!settings.may_reconstruct || settings.before_sample || busy_s > kDeviceBound * plain_s) return std::nullopt;
  if (plain_s > kLongestInference) return std::nullopt;
  if (attributed.empty() || attributed.front().nodes.empty()) return std::nullopt;
  ReconstructedTiming result;
  try {
    const std::optional<QueueTimes> times = session.queue_times();
    if (!times) return std::nullopt;
    Collected collected = collect(session, settings, plain_s);
    const QueueSources sources(attributed, std::move(collected.recorded));
    if (sources.obstacle().empty()) {
      evaluate(sources, *times, collected.plain, graph, session, result);
    } else {
      result.figures.rejected = sources.obstacle();
    }
    result.timing.wall_s = std::move(collected.wall_s);
    result.timing.plain_s = std::move(collected.plain_s);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    result.figures.rejected = error.what();
  }
  return result;
}

}  // namespace nongemm
