#include "microbench/measure_call.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/host_memory.h"
#include "base/interrupt.h"
#include "base/statistics.h"
#include "flows/load.h"
#include "microbench/call_graph.h"
#include "ops/memory.h"
#include "profile/device_pass.h"
#include "profile/host_pass.h"
#include "profile/measurement.h"
#include "record/decomposition.h"
#include "spec/run_spec.h"

namespace nongemm::microbench {
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

  Session& session() const { return *session_; }
  const Graph& graph() const { return graph_->graph; }

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

/// What samples of calls in a row took, for each of them.
void divide(std::vector<double>& samples, int repeat) {
  for (double& sample : samples) sample /= repeat;
}

/// All that a device does in these inferences, or the steps of a host's runtime, is the call's work.
NodePass measure_nodes(const Prepared& prepared, const PassSettings& settings, const CallOptions& options,
                       double plain_s) {
  Session& session = prepared.session();
  if (on_device(options.run)) return measure_on_device(session, prepared.graph(), settings, plain_s);
  return measure_on_host(session, traced_nodes(session, prepared.graph()), settings);
}

void take(const NodePass& pass, CallMeasurement& result) {
  result.how = pass.how;
  result.call_s = pass.inside_s;
  divide(result.call_s, result.repeat);
  if (!pass.kernel_records) return;
  double kernels = 0;
  for (const KernelSum& kernel : pass.kernels) kernels += kernel.launches;
  result.kernels = kernels / result.repeat;
  result.gap_s = pass.gap_s / result.repeat;
}

/// Falls back on wall times where the flow has no records of this kind.
void measure_inside(const Prepared& prepared, const PassSettings& settings, const CallOptions& options,
                    CallMeasurement& result) {
  // On a host without a program of its own the sample is nothing but calls; one by one, the executor's part shows.
  const bool nothing_but_calls = !on_device(options.run) && prepared.session().program() == nullptr && !options.cold;
  if (nothing_but_calls) {
    result.how = "wall times";
    result.call_s = result.wall.samples_s;
    return;
  }
  const double plain_s = median(result.wall.samples_s) * result.repeat;
  std::string reason;
  try {
    const NodePass pass = measure_nodes(prepared, settings, options, plain_s);
    prepared.session().end_tracing();
    if (pass.averaged > 0) return take(pass, result);
    reason = pass.how;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    reason = error.what();
  }
  result.how = "wall times: " + reason;
  result.call_s = result.wall.samples_s;
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
  PassSettings settings{options.policy};
  settings.may_reconstruct = false;
  if (options.cold) settings.before_sample = [&flusher = CacheFlusher::of(options.run)] { flusher.flush(); };
  result.observed = prepared->session().run_for_types();
  result.fp32_in_tf32 = prepared->session().fp32_in_tf32();
  result.repeat = choose_repeat(call, flow, options, prepared);
  Session& session = prepared->session();
  std::vector<double> warmup_s = warm_up(session, settings);
  result.wall = measure_latency(session, settings);
  result.wall.warmup_s = std::move(warmup_s);
  divide(result.wall.samples_s, result.repeat);
  divide(result.wall.retaken_s, result.repeat);
  if (!interrupted()) measure_inside(*prepared, settings, options, result);
  result.incomplete = interrupted();
  return result;
}

}  // namespace nongemm::microbench
