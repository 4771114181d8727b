#include "microbench/measure_call.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/host_memory.h"
#include "base/interrupt.h"
#include "flows/load.h"
#include "microbench/call_graph.h"
#include "ops/memory.h"
#include "profile/stopping.h"
#include "record/decomposition.h"
#include "spec/run_spec.h"

namespace nongemm::micro {
namespace {

/// A sample of so many seconds is long beside the clock and the call of the session.
constexpr double kShortSample = 1e-3;
constexpr double kSample = 2e-3;
constexpr int kMostCalls = 1000;

bool on_device(const RunOptions& options) { return !options.device.is_host(); }

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
      if (!type.alias) bytes += known_bytes_of(type);
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
    prepared_ = std::make_unique<Prepared>(call, 1, load_flow(kBaselineFlow), options);
  }

  void flush() { prepared_->session().run(); }

  /// One per device and number of threads, kept for the whole process: making one takes longer than most measurements.
  static CacheFlusher& of(const RunOptions& options) {
    // Never destroyed: runtimes are not to be called any more when a process ends.
    static auto& known = *new std::map<std::string, CacheFlusher>();
    const std::string key = fmt::format("{} {}", to_string(options.device), options.threads);
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
    const bool late =
        !policy_.iterations && samples.size() >= kLeast && watch_.seconds() >= kSlack * policy_.most_seconds;
    return rule_->enough(samples) || late;
  }

 private:
  static constexpr double kSlack = 2.0;
  std::unique_ptr<StoppingRule> rule_;
  MeasurePolicy policy_;
  Stopwatch watch_;
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

/// What a sample of calls in a row took, for each of them.
std::vector<double> per_call(std::vector<double> samples, int repeat) {
  for (double& sample : samples) sample /= repeat;
  return samples;
}

/// Kernels of the call alone: all that the device does in these inferences is its work.
void measure_kernels(Session& session, const CallOptions& options, CacheFlusher* flusher, CallMeasurement& result) {
  constexpr int kFirstRuns = 2;  // CUPTI sets itself up during the first traced inferences
  constexpr std::size_t kBlock = 30;
  std::vector<Trace> traces(1);
  for (int i = 0; i < kFirstRuns; ++i) session.run_traced(TraceLevel::kTiming, traces.front());
  Patience patience(options.policy);
  std::vector<double> busy_s;
  double gap_s = 0;
  double kernels = 0;
  bool enough = false;
  while (!enough && (!interrupted() || busy_s.empty())) {
    const std::size_t left =
        options.policy.iterations ? static_cast<std::size_t>(*options.policy.iterations) - busy_s.size() : kBlock;
    traces.resize(std::min(left, kBlock));
    if (flusher == nullptr) {
      session.run_traced_in_a_row(TraceLevel::kTiming, traces);
    } else {
      for (Trace& trace : traces) {
        flusher->flush();
        session.run_traced(TraceLevel::kTiming, trace);
      }
    }
    for (Trace& trace : traces) {
      align_to_window(trace);
      const Decomposition parts = decompose(trace, 0);
      busy_s.push_back(parts.device_ns() * 1e-9);
      gap_s += parts.gap_ns() * 1e-9;
      kernels += parts.unattributed.records;
      enough = enough || patience.enough(busy_s);
    }
  }
  session.end_tracing();
  result.how = "kernel records";
  result.call_s = per_call(busy_s, result.repeat);
  const double calls = result.repeat * static_cast<double>(busy_s.size());
  result.gap_s = gap_s / calls;
  result.kernels = kernels / calls;
}

/// What the runtime's steps take, without what it does around them.
void measure_steps_of(Session& session, const CallOptions& options, CacheFlusher* flusher, CallMeasurement& result) {
  Patience patience(options.policy);
  std::vector<double> inside_s;
  Trace trace;
  while (!interrupted()) {
    if (flusher != nullptr) flusher->flush();
    session.run_traced(TraceLevel::kHost, trace);
    double inside = 0;
    for (const NodeSpan& span : trace.nodes) inside += static_cast<double>(span.end_ns - span.begin_ns) * 1e-9;
    inside_s.push_back(inside);
    if (patience.enough(inside_s)) break;
  }
  result.call_s = per_call(std::move(inside_s), result.repeat);
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
  std::vector<double> wall_s;
  while (!interrupted()) {
    if (flusher != nullptr) flusher->flush();
    wall_s.push_back(timed_run(session));
    if (patience.enough(wall_s)) break;
  }
  result.wall_s = per_call(std::move(wall_s), result.repeat);
  if (!interrupted()) measure_inside(session, options, flusher, result);
  result.incomplete = interrupted();
  return result;
}

}  // namespace nongemm::micro
