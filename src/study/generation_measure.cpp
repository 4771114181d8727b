#include "study/generation_measure.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "analysis/step_traffic.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "profile/device_pass.h"
#include "profile/measurement.h"
#include "profile/walking_session.h"

namespace nongemm {
namespace {

class Measurement {
 public:
  Measurement(const RunSpec& spec, GenerationGraphs& graphs, GenerationSteps& sessions, const Prompt& prompt,
              const Progress& progress)
      : spec_(spec),
        graphs_(graphs),
        sessions_(sessions),
        prompt_(prompt),
        progress_(progress),
        settings_{spec.policy},
        on_device_(!spec.runtime.device.is_host()) {}

  MeasuredGeneration run() {
    const GenerationPlan& plan = graphs_.plan();
    GenerationRecord& generation = result_.generation;
    generation.batch = plan.batch;
    generation.prompt = plan.prompt;
    generation.tokens = plan.tokens;
    generation.padding = padding_count(prompt_);
    generation.cache = plan.cache == CacheKind::kStatic ? "static" : "dynamic";
    result_.record.devices.emplace_back().is_host = !on_device_;
    result_.record.fp32_in_tf32 = sessions_.prompt().fp32_in_tf32();
    progress_("generating");
    generation.tokens_s = generations(&generation.stopping_rule);
    result_.tokens = tokens_;
    measure_prompt();
    if (plan.tokens > 1) measure_step();
    result_.record.incomplete = interrupted();
    return std::move(result_);
  }

 private:
  /// One generation; the times of its tokens.
  std::vector<double> generate() {
    const GenerationPlan& plan = graphs_.plan();
    std::vector<double> times;
    sessions_.begin(prompt_);
    tokens_.assign(static_cast<std::size_t>(plan.batch), {});
    for (std::int64_t i = 0; i < plan.tokens && !interrupted(); ++i) {
      sessions_.align(i);
      const Stopwatch watch;
      Session& session = i == 0 ? sessions_.prompt() : sessions_.step(i);
      session.run_on();
      times.push_back(watch.seconds());
      const HostTensor token = sessions_.token(session);
      for (std::size_t row = 0; row < tokens_.size(); ++row) tokens_[row].push_back(token.as<std::int64_t>()[row]);
    }
    return times;
  }

  /// Whole generations until the time of one is known. The first, in which everything is made and warms up, does not
  /// count.
  std::vector<std::vector<double>> generations(std::string* rule) {
    std::vector<std::vector<double>> runs;
    generate();
    PassEnd end(settings_);
    if (rule != nullptr) *rule = end.description();
    std::vector<double> totals;
    while (!interrupted()) {
      std::vector<double> times = generate();
      if (interrupted()) break;
      totals.push_back(std::accumulate(times.begin(), times.end(), 0.0));
      runs.push_back(std::move(times));
      if (end.reached(totals)) break;
    }
    return runs;
  }

  /// Puts the passes of one session beside those of the others.
  void add(Record measured, PhaseKind kind) {
    Phase& phase = measured.phases.front();
    phase.kind = kind;
    phase.entry = result_.record.entries.size();
    result_.record.entries.push_back(std::move(measured.entries.front()));
    result_.record.phases.push_back(std::move(phase));
    result_.record.incomplete = result_.record.incomplete || measured.incomplete;
  }

  bool writes_in_place() const { return graphs_.plan().cache == CacheKind::kStatic; }

  void measure_prompt() {
    if (interrupted()) return;
    progress_("measuring the prompt's pass");
    sessions_.begin(prompt_);
    Session& session = sessions_.prompt();
    WalkingSession again(session, 1);
    add(measure(writes_in_place() ? again : session, graphs_.prompt(), settings_, on_device_), PhaseKind::kPrefill);
  }

  /// The step in the middle.
  void measure_step() {
    if (interrupted()) return;
    const GenerationPlan& plan = graphs_.plan();
    const std::int64_t at = plan.tokens / 2;
    progress_("measuring a step");
    sessions_.begin(prompt_);
    sessions_.prompt().run_on();
    for (std::int64_t i = 1; i < at; ++i) sessions_.step(i).run_on();
    // Where sizes grow, the step that is measured has a session whose graph states its own.
    const auto graph = std::make_shared<const Graph>(graphs_.step(at));
    Session* own = sessions_.own_session(at, graph);
    Session& session = own != nullptr ? *own : sessions_.step(at);
    const StepTraffic traffic = step_traffic(*graph, plan.prompt + at - 1);
    result_.generation.measured_step = at;
    result_.generation.weight_bytes = traffic.weight_bytes;
    result_.generation.cache_bytes = traffic.cache_bytes;
    // As far as the cache reaches, and the step's graph: that of a window that is full is another one.
    WalkingSession walking(session, static_cast<std::size_t>(graphs_.growing(at).last - at + 1));
    Session& measured = writes_in_place() ? static_cast<Session&>(walking) : session;
    add(measure(measured, graph, settings_, on_device_), PhaseKind::kDecode);
    if (spec_.replay && !interrupted()) replay(measured, *graph);
  }

  void replay(Session& session, const Graph& graph) {
    progress_("replaying a step");
    try {
      check_replay();
      Phase phase = measure_replay(session, graph, settings_);
      phase.kind = PhaseKind::kDecodeReplay;
      phase.entry = result_.record.entries.size() - 1;
      result_.record.phases.push_back(std::move(phase));
      if (interrupted()) return;
      session.end_tracing();  // which would cost each kernel some 0.3 us
      progress_("generating by replay");
      capture_all();
      result_.generation.replayed_s = generations(nullptr);
      result_.replay_agrees = tokens_ == result_.tokens;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;
      result_.no_replay = error.what();  // the eager figures are worth having all the same
    }
  }

  /// The steps before a window is full, and those after, have a graph each.
  void capture_all() {
    sessions_.begin(prompt_);
    sessions_.prompt().run_on();
    for (std::int64_t i = 1; i < graphs_.plan().tokens && !interrupted(); ++i) {
      Session& session = sessions_.step(i);
      session.capture();
      session.run_on();
    }
  }

  /// A replay repeats what was captured: with the same sizes, and numbers that the host counted.
  void check_replay() {
    if (!writes_in_place()) {
      throw Error(ErrorKind::kUnsupported, "a dynamic cache is larger in every step", "add --cache static");
    }
    std::int64_t graphs = 0;
    for (std::int64_t i = 1; i < graphs_.plan().tokens; i = graphs_.growing(i).last + 1, ++graphs) {
      const GrowingGraph& growing = graphs_.growing(i);
      if (growing.growth.empty()) continue;
      const Node& node = growing.graph->nodes[growing.growth.front().node];
      throw Error(ErrorKind::kUnsupported,
                  "the host counts for " + node.op + ", which has other numbers in every step");
    }
    constexpr std::int64_t kMostGraphs = 4;
    if (graphs <= kMostGraphs) return;
    throw Error(ErrorKind::kUnsupported, "steps differ in more than sizes: they have " + std::to_string(graphs) +
                                             " graphs, as a rotary table has that is made anew for every length");
  }

  const RunSpec& spec_;
  GenerationGraphs& graphs_;
  GenerationSteps& sessions_;
  const Prompt& prompt_;
  const Progress& progress_;
  PassSettings settings_;
  bool on_device_;
  MeasuredGeneration result_;
  std::vector<std::vector<std::int64_t>> tokens_;  // of the last generation, by sample
};

}  // namespace

MeasuredGeneration measure_generation(const RunSpec& spec, GenerationGraphs& graphs, GenerationSteps& sessions,
                                      const Prompt& prompt, const Progress& progress) {
  return Measurement(spec, graphs, sessions, prompt, progress).run();
}

}  // namespace nongemm
