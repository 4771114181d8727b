#include "profile/timing_pass.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "profile/windows.h"

namespace nongemm {
namespace {

/// Plain and traced runs alternate in blocks: a shared host's speed changes by half within seconds, which would
/// otherwise pass for overhead. Short inferences make long blocks, so that switching is rare.
constexpr double kBlockSeconds = 0.1;
constexpr double kLongestBlock = 10;
/// More windows hardly lessen the cost: CUPTI takes most of it for being there.
constexpr double kMostWindows = 8;
/// Longer inferences get fewer windows, so that a round stays short.
constexpr double kLongestRound = 0.25;
/// The policy's time is at least what so many plain inferences take: times are means over rounds.
constexpr double kLeastRounds = 10;
/// One round in so many may not match before windows are given up.
constexpr std::size_t kRoundsForAMiss = 10;

/// How many runs of `seconds` make a block.
std::size_t runs_in_block(double seconds, double least) {
  return static_cast<std::size_t>(std::clamp(kBlockSeconds / seconds, least, kLongestBlock));
}

/// So many of `most` as the policy leaves after `done`.
std::size_t runs_left(const PassSettings& settings, std::size_t done, std::size_t most) {
  const std::optional<std::size_t> count = count_of(settings.policy);
  return count ? std::clamp<std::size_t>(*count - done, 1, most) : most;
}

/// Really plain: a tracer that is switched off but still attached slows every call by up to a half. The first run after
/// switching is not counted.
void run_plain(Session& session, const PassSettings& settings, std::size_t runs, std::vector<double>& plain_s) {
  session.end_tracing();
  session.run();
  for (std::size_t i = 0; i < runs; ++i) {
    settings.prepare_sample();
    plain_s.push_back(timed_run(session));
  }
}

/// In a row, unless each has to be prepared.
void run_timed(Session& session, const PassSettings& settings, std::span<Trace> traces) {
  if (!settings.before_sample) return session.run_traced_in_a_row(TraceLevel::kTiming, traces);
  for (Trace& trace : traces) {
    settings.prepare_sample();
    session.run_traced(TraceLevel::kTiming, trace);
  }
}

/// Adds one inference. False when too little of its kernel time has a counterpart in the reference.
/// @param replayed what a replay leaves out of an eager inference is no loss
bool add(Trace& trace, const Trace& reference, std::size_t node_count, bool replayed, Timing& timing) {
  align_to_window(trace);
  const bool known = !trace.device.empty() && std::all_of(trace.device.begin(), trace.device.end(),
                                                          [](const DeviceRecord& r) { return r.node != kNoId; });
  if (!known) {
    const RecordMatch match = attribute(reference, trace);
    timing.least_matched = std::min(timing.least_matched, replayed ? match.known_time() : match.matched_time());
  }
  timing.wall_s.push_back(wall_of(trace));
  timing.parts.push_back(decompose(trace, node_count));
  timing.kernels.add(trace);
  return timing.least_matched >= kEnoughMatched;
}

/// @param replayed else the first inference that does not match ends it: its times will not be used
Timing time_whole(Session& session, std::size_t node_count, const PassSettings& settings, const Trace& reference,
                  double plain_s, bool replayed) {
  PassEnd end(settings);
  Timing timing;
  std::vector<Trace> traces;
  while (!interrupted() || timing.parts.empty()) {
    const std::size_t runs = runs_left(settings, timing.parts.size(), runs_in_block(plain_s, 2));
    run_plain(session, settings, runs, timing.plain_s);
    traces.resize(kFirstRuns + runs);
    run_timed(session, settings, traces);
    bool enough = false;
    for (std::size_t i = kFirstRuns; i < traces.size() && !enough; ++i) {
      const bool matches = add(traces[i], reference, node_count, replayed, timing);
      enough = (!replayed && !matches) || end.reached(timing.wall_s);
    }
    if (enough) break;
  }
  return timing;
}

/// One window of each inference recorded.
/// @return nothing when records do not match
std::optional<Timing> time_windows(Session& session, std::size_t node_count, PassSettings settings,
                                   const WindowPlan& plan, double plain_s) {
  const std::size_t count = plan.windows().size();
  const double round_s = plain_s * static_cast<double>(count);
  // The rule counts rounds, by what they are put together to.
  const double least_s = kLeastRounds * plain_s;
  const double seconds = seconds_of(settings.policy, least_s) / static_cast<double>(count);
  settings.policy = with_seconds(std::move(settings.policy), std::max(seconds, least_s));
  PassEnd end(settings);
  Timing timing;
  timing.windows = count;
  std::vector<double> rounds_s;
  std::size_t missed = 0;
  std::vector<Window> windows;
  std::vector<Trace> traces;
  while (!interrupted() || rounds_s.empty()) {
    const std::size_t rounds = runs_left(settings, rounds_s.size(), runs_in_block(round_s, 1));
    run_plain(session, settings, rounds * count, timing.plain_s);
    windows.assign(kFirstRuns, Window());
    for (std::size_t i = 0; i < rounds; ++i)
      windows.insert(windows.end(), plan.windows().begin(), plan.windows().end());
    traces.resize(windows.size());
    session.run_traced_windows(windows, traces);
    const std::span<Trace> counted = std::span(traces).subspan(kFirstRuns);
    for (const Trace& trace : counted) timing.wall_s.push_back(wall_of(trace));
    for (std::size_t i = 0; i < rounds; ++i) {
      RecordMatch match;
      const std::optional<Trace> joined = plan.join(counted.subspan(i * count, count), match);
      if (!joined || match.matched_time() < kEnoughMatched) {
        if (++missed > rounds_s.size() / kRoundsForAMiss) return std::nullopt;
        continue;
      }
      timing.least_matched = std::min(timing.least_matched, match.matched_time());
      rounds_s.push_back(wall_of(*joined));
      timing.parts.push_back(decompose(*joined, node_count));
      timing.kernels.add(*joined);
    }
    if (end.reached(rounds_s)) break;
  }
  return timing;
}

/// How many windows an inference is cut into at most.
std::size_t most_windows(const Session& session, const PassSettings& settings, double busy_s, double plain_s) {
  if (settings.before_sample || !session.can_record_windows() || busy_s > kDeviceBound * plain_s) return 1;
  return static_cast<std::size_t>(std::clamp(kLongestRound / plain_s, 1.0, kMostWindows));
}

}  // namespace

Timing time_nodes(Session& session, std::size_t node_count, PassSettings settings, const Trace& reference,
                  double busy_s, double plain_s) {
  const WindowPlan plan(reference, most_windows(session, settings, busy_s, plain_s));
  if (plan.windows().size() > 1) {
    const Stopwatch watch;
    try {
      if (std::optional<Timing> timing = time_windows(session, node_count, settings, plan, plain_s)) {
        return std::move(*timing);
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;  // else: switching failed, which whole records do not need
    }
    settings.policy = with_seconds(settings.policy, seconds_of(settings.policy, 0) - watch.seconds());
  }
  return time_whole(session, node_count, settings, reference, plain_s, /*replayed=*/false);
}

Timing time_replay(Session& session, std::size_t node_count, const PassSettings& settings, const Trace& reference,
                   double plain_s) {
  return time_whole(session, node_count, settings, reference, plain_s, /*replayed=*/true);
}

}  // namespace nongemm
