#include "micro/measure_call.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/host_memory.h"
#include "flows/load.h"
#include "micro/call_graph.h"
#include "ops/rules.h"
#include "profile/stopping.h"
#include "profile/timeline.h"

namespace nongemm::micro {
namespace {

/// A sample of so many seconds is long beside the clock and the call of the session.
constexpr double kShortSample = 1e-3;
constexpr double kSample = 2e-3;
constexpr int kMostCalls = 1000;

bool on_device(const RunOptions& options) { return options.device != "cpu"; }

/// A graph of the call and a session that runs it.
class Prepared {
 public:
  Prepared(const Call& call, int repeat, Flow& flow, const RunOptions& options)
      : graph_(std::make_unique<CallGraph>(graph_of(call, repeat))) {
    check_memory(call, options);
    session_ = flow.prepare(graph_->graph, make_tensors(graph_->parameters, options.seed), options);
    session_->set_inputs(make_tensors(graph_->inputs, options.seed + graph_->parameters.size()));
  }

  Session& session() { return *session_; }

 private:
  void check_memory(const Call& call, const RunOptions& options) const {
    if (on_device(options)) return;  // whose allocator tells by itself
    double bytes = operand_bytes(call);
    for (const ValueId id : graph_->graph.nodes.front().outputs) {
      const Type& type = graph_->graph.values[id].type;
      if (!type.alias) bytes += rules::bytes_of(type);
    }
    require_memory("operator " + call.info.name, bytes, "use smaller shapes or --dtype bf16");
  }

  std::unique_ptr<CallGraph> graph_;
  std::unique_ptr<Session> session_;
};

double bytes_of_caches(const RunOptions& options) {
  // More than the second-level cache of any GPU of today.
  if (on_device(options)) return 256.0 * (1 << 20);
  const long bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
  // A virtual machine may show the cache of a whole socket.
  return std::clamp(2.0 * static_cast<double>(bytes), 64.0 * (1 << 20), 1024.0 * (1 << 20));
}

/// Writes more than the caches hold. All threads take part, so that each core's own caches are written over, too.
class CacheFlusher {
 public:
  explicit CacheFlusher(RunOptions options) {
    options.settings.clear();
    TensorSpec buffer;
    buffer.shape = {static_cast<std::int64_t>(bytes_of_caches(options) / 4)};
    buffer.content.kind = Content::Kind::kZeros;
    // Read and written: a fill alone may go past the caches.
    const Call call{find_operator("add_", nullptr), {buffer, Argument(1.0), Argument(std::int64_t{1})}, {}};
    prepared_ = std::make_unique<Prepared>(call, 1, load_flow("torch"), options);
  }

  void flush() { prepared_->session().run(); }

  /// One per device and number of threads, kept for the whole process: making one takes longer than most measurements.
  static CacheFlusher& of(const RunOptions& options) {
    // Never destroyed: runtimes are not to be called any more when a process ends.
    static auto& known = *new std::map<std::string, CacheFlusher>();
    const std::string key = fmt::format("{} {}", options.device, options.threads);
    return known.try_emplace(key, options).first->second;
  }

 private:
  std::unique_ptr<Prepared> prepared_;
};

/// Ends a pass as its rule says, or when writing over the caches, which no sample counts, has taken too long.
class Patience {
 public:
  explicit Patience(const MeasurePolicy& policy) : rule_(rule_for(policy)), policy_(policy) {}

  std::string description() const { return rule_->description(); }
  bool enough(const std::vector<double>& samples) {
    constexpr std::size_t kLeast = 10;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
    const bool late =
        !policy_.iterations && samples.size() >= kLeast && passed.count() >= kSlack * policy_.most_seconds;
    return rule_->enough(samples) || late;
  }

 private:
  static constexpr double kSlack = 2.0;
  std::unique_ptr<StoppingRule> rule_;
  MeasurePolicy policy_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// The shortest of some inferences: the first ones allocate and set up, and one that was disturbed says nothing either.
double quickest_run(Session& session) {
  constexpr int kProbes = 5;
  constexpr double kLong = 50e-3;
  double best = timed_run(session);
  for (int i = 0; i < kProbes && best < kLong; ++i) best = std::min(best, timed_run(session));
  return best;
}

int choose_repeat(const Call& call, Flow& flow, const CallOptions& options, std::unique_ptr<Prepared>& prepared) {
  // A runtime that optimises would see the same node again and again and compute it once.
  if (options.cold || prepared->session().program() != nullptr) return 1;
  // A lone call has to wake the other threads, which takes longer than many calls: asked again with calls in a row.
  constexpr int kRounds = 3;
  int repeat = 1;
  for (int round = 0; round < kRounds; ++round) {
    const double sample = quickest_run(prepared->session());
    if (sample >= kShortSample) break;
    const int longer = std::min(repeat * repeat_for(sample), kMostCalls);
    if (longer == repeat) break;
    repeat = longer;
    prepared.reset();
    prepared = std::make_unique<Prepared>(call, repeat, flow, options.run);
  }
  return repeat;
}

/// Kernels of the call alone: all that the device does in these inferences is its work.
void measure_kernels(Session& session, const CallOptions& options, CacheFlusher* flusher, CallMeasurement& result) {
  constexpr std::size_t kTraces = 30;
  const std::size_t count = options.policy.iterations ? static_cast<std::size_t>(*options.policy.iterations) : kTraces;
  std::vector<Trace> traces(count);
  constexpr int kFirstRuns = 2;  // CUPTI sets itself up during the first traced inferences
  for (int i = 0; i < kFirstRuns; ++i) session.run_traced(TraceLevel::kTiming, traces.front());
  if (flusher == nullptr) {
    session.run_traced_in_a_row(TraceLevel::kTiming, traces);
  } else {
    for (Trace& trace : traces) {
      flusher->flush();
      session.run_traced(TraceLevel::kTiming, trace);
    }
  }
  session.end_tracing();
  result.how = "kernel records";
  const double calls = result.repeat;
  std::size_t kernels = 0;
  for (Trace& trace : traces) {
    align_to_window(trace);
    const Decomposition parts = decompose(trace, 0);
    result.call_s.push_back(parts.device_ns() * 1e-9 / calls);
    result.gap_s += parts.gap_ns() * 1e-9 / calls / static_cast<double>(count);
    kernels += static_cast<std::size_t>(parts.unattributed.records);
  }
  result.kernels = static_cast<double>(kernels) / (calls * static_cast<double>(count));
}

/// What the runtime's steps take, without what it does around them.
void measure_steps_of(Session& session, const CallOptions& options, CacheFlusher* flusher, CallMeasurement& result) {
  Patience patience(options.policy);
  Trace trace;
  while (!interrupted()) {
    if (flusher != nullptr) flusher->flush();
    session.run_traced(TraceLevel::kHost, trace);
    double inside = 0;
    for (const NodeSpan& span : trace.nodes) inside += static_cast<double>(span.end_ns - span.begin_ns) * 1e-9;
    result.call_s.push_back(inside / result.repeat);
    if (patience.enough(result.call_s)) break;
  }
  session.end_tracing();
  result.how = "spans of the runtime's steps";
}

/// Falls back on wall times where the flow has no records of this kind.
void measure_inside(Session& session, const CallOptions& options, CacheFlusher* flusher, CallMeasurement& result) {
  const bool device = on_device(options.run);
  // On a host without a program of its own the sample is nothing but calls; one by one, the executor's part shows.
  const bool plain = !device && session.program() == nullptr && !options.cold;
  if (!plain) {
    try {
      device ? measure_kernels(session, options, flusher, result) : measure_steps_of(session, options, flusher, result);
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
      result.how = fmt::format("wall times: {}", error.what());
      result.call_s.clear();
    }
  } else {
    result.how = "wall times";
  }
  result.call_s = result.wall_s;
}

}  // namespace

int repeat_for(double seconds) {
  if (seconds >= kShortSample) return 1;
  return static_cast<int>(
      std::clamp(std::ceil(kSample / std::max(seconds, 1e-9)), 2.0, static_cast<double>(kMostCalls)));
}

CallMeasurement measure_call(const Call& call, Flow& flow, const CallOptions& options) {
  CallMeasurement result;
  auto prepared = std::make_unique<Prepared>(call, 1, flow, options.run);
  CacheFlusher* flusher = options.cold ? &CacheFlusher::of(options.run) : nullptr;
  result.observed = prepared->session().run_for_types();
  result.repeat = choose_repeat(call, flow, options, prepared);
  Session& session = prepared->session();
  result.warmup_s = warm_up(session, options.policy);
  Patience patience(options.policy);
  result.stopping_rule = patience.description();
  while (!interrupted()) {
    if (flusher != nullptr) flusher->flush();
    result.wall_s.push_back(timed_run(session) / result.repeat);
    if (patience.enough(result.wall_s)) break;
  }
  if (!interrupted()) measure_inside(session, options, flusher, result);
  result.incomplete = interrupted();
  return result;
}

}  // namespace nongemm::micro
