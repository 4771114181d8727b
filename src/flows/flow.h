// The seam to the runtimes: a flow prepares a graph, the session runs it and leaves traces. A screenful, on purpose.
// Flows are modules loaded when they are asked for (load.h); no framework type passes this border, and every vendor
// error arrives as an Error that names the operator.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/tensor.h"
#include "flows/communicator.h"
#include "graph/graph.h"
#include "record/device_state.h"
#include "record/limits.h"
#include "record/memory_use.h"
#include "record/precision.h"
#include "record/runtime_program.h"
#include "record/trace.h"
#include "spec/runtime_options.h"

namespace nongemm {

struct RunOptions : RuntimeOptions {
  RunOptions() = default;
  explicit RunOptions(RuntimeOptions options) : RuntimeOptions(std::move(options)) {}

  /// A setting that the flow declares in its description.cpp, by its whole name ("ort.level"); `otherwise` where it is
  /// not given. Values that are no choice have been refused.
  std::string setting(const std::string& name, const std::string& otherwise = "") const {
    const auto found = settings.find(name);
    return found == settings.end() ? otherwise : found->second;
  }

  /// Told what goes on where preparing takes long (building an engine), from any thread; may be empty.
  std::function<void(const std::string& what)> progress;
};

enum class TraceLevel : std::uint8_t {
  kHost,         // host spans of nodes only
  kAttribution,  // device records with the node that launched each
  kTiming,       // device records alone, as light as can be
  kTimingSpans,  // these and host spans of nodes; no spans from a session that does not walk nodes
};

/// A known argument of a node in place of the one that the graph has.
struct ArgumentChange {
  NodeId node = kNoId;
  std::uint32_t position = 0;
  Argument value;
};

/// A prepared model. Not safe for use by several threads.
class Session {
 public:
  virtual ~Session() = default;

  /// In the order of Graph::inputs; copied to the device here. A state without data stays as it is, or becomes zeros.
  virtual void set_inputs(const std::vector<HostTensor>& inputs) = 0;
  /// Before a run whose time is taken, and no part of it: several ranks come together.
  virtual void align() {}
  /// One inference, nothing recorded; returns when its outputs are complete.
  virtual void run() = 0;
  /// Of the last run, in the order of Graph::outputs.
  virtual std::vector<HostTensor> outputs() = 0;

  /// One inference with records. Throws Error(kUnsupported) for a level the flow or the driver does not offer.
  virtual void run_traced(TraceLevel level, Trace& trace) = 0;
  /// As many inferences in a row as there are traces. Records are read after the last one where that disturbs less.
  virtual void run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) {
    for (Trace& trace : traces) run_traced(level, trace);
  }
  /// Whether recording can be switched within an inference.
  virtual bool can_record_windows() const { return false; }
  /// Timing traces in a row, each with the device records of one window of its inference; outside it recording is off.
  /// Throws Error(kUnsupported) for a session that cannot.
  /// @param windows as many as there are traces
  virtual void run_traced_windows(std::span<const Window> /*windows*/, std::span<Trace> /*traces*/) {
    throw Error(ErrorKind::kUnsupported, "this session records whole inferences", "see can_record_windows()");
  }
  /// The caller will not trace for a while: whatever slows plain runs down is taken away.
  virtual void end_tracing() {}
  /// Where traces of a level take the times of nodes from, or for devices the nodes of kernels: said in reports.
  virtual std::string trace_source(TraceLevel level) const {
    return level == TraceLevel::kHost ? "host spans" : "a pass with external correlation ids";
  }
  /// One inference that watches memory. Throws Error(kUnsupported) where the runtime tells nothing of its memory.
  virtual MemoryUse run_for_memory() = 0;
  /// One inference that notes the types of results whose shapes were not known before.
  virtual std::vector<ObservedTypes> run_for_types() = 0;

  /// The runtime's own steps, when it does not walk the graph's nodes; traces then count in those. nullptr otherwise.
  virtual const RuntimeProgram* program() const { return nullptr; }

  /// One inference in which the runtime itself takes the time of its steps: seconds by step of program(). Empty when it
  /// offers no such clock.
  virtual std::vector<double> run_for_steps() { return {}; }

  /// Captures the inference for replay (a CUDA graph); afterwards run() and run_traced() replay it.
  /// Throws Error(kUnsupported) when the flow, device or model cannot.
  virtual void capture() = 0;

  /// Another entry of the same model: a session over `graph` with this one's weights and states (graph/state.h), which
  /// both find by their names. Neither the graph nor this session may end before it.
  /// Throws Error(kUnsupported) for a flow that has none, Error(kBadInput) naming a weight that is not there.
  virtual std::unique_ptr<Session> entry(const Graph& /*graph*/) {
    throw Error(ErrorKind::kUnsupported, "this flow has one entry a model: it generates no text",
                "add --flow torch or --flow ort");
  }
  /// What the last run left of states becomes what the next run of any entry finds.
  virtual void advance() {}
  /// run() and advance() in one: what a run finds is given up as soon as it is read for the last time, so that a cache
  /// is in memory once.
  virtual void run_on() {
    run();
    advance();
  }
  /// Keeps copies of small states (counters, the next token; no cache), and puts them back before the same step is run
  /// once more: what is written in place has moved on.
  virtual void remember_states() {}
  virtual void restore_states() {}
  /// Whether arguments of nodes can be changed once the session is made. Where they cannot, sizes that grow are inputs
  /// of the graph that it is made of.
  virtual bool can_change_arguments() const { return false; }
  /// Known arguments of nodes, in the place of the graph's: sizes that have grown. Throws Error(kUnsupported) once the
  /// session replays.
  virtual void change_arguments(std::span<const ArgumentChange> /*changes*/) {
    throw Error(ErrorKind::kUnsupported, "this session keeps the arguments that it was prepared with");
  }
  /// The inputs that are integers (Type::Kind::kInt), in their order.
  virtual void set_sizes(std::span<const std::int64_t> /*sizes*/) {
    throw Error(ErrorKind::kUnsupported, "this session takes no sizes as inputs");
  }
  /// One output of the last run.
  virtual HostTensor output(std::size_t index) { return outputs().at(index); }
  /// Random numbers that operators draw begin anew.
  virtual void seed(std::uint64_t /*seed*/) {}

  /// What the runtime does with fp32 operands under these options.
  virtual Tf32Use fp32_in_tf32() const { return {}; }

  /// How the session's device takes up work, measured at first use; nothing on a host.
  virtual std::optional<QueueTimes> queue_times() { return std::nullopt; }

  /// Energy, clocks and throttling of the session's device now; without figures on a host.
  virtual DeviceState device_state() { return {}; }
};

/// What a flow says of itself for `list flows` and the context of reports.
struct FlowInfo {
  std::string name;     // "torch"
  std::string title;    // "PyTorch (LibTorch)"
  std::string version;  // of the runtime that was found
  std::vector<Device> devices;
};

class Flow {
 public:
  virtual ~Flow() = default;
  virtual FlowInfo info() const = 0;
  /// @param weights in the order of Graph::stored_weights(); one without data is drawn by the flow (InitSpec, seed), on
  /// the
  ///        device where that is faster. The graph must outlive the session.
  virtual std::unique_ptr<Session> prepare(const Graph& graph, const std::vector<HostTensor>& weights,
                                           const RunOptions& options) = 0;

  /// Schemas of all overloads of an operator that the operator table need not know, as texts:
  /// "aten::cdist(Tensor x1, Tensor x2, ...) -> Tensor". Empty when the runtime has none of that name, or no names.
  /// @param libraries loaded first, as RunOptions has them
  virtual std::vector<std::string> operator_schemas(const std::string& /*name*/,
                                                    const std::vector<std::string>& /*libraries*/) {
    return {};
  }

  /// The other ranks of options.place, met at the first call; sessions prepared afterwards run collectives with
  /// them. Throws Error(kUnsupported) for a flow without, (kFailed) for ranks that do not come in time.
  virtual Communicator& communicator(const RunOptions&) {
    throw Error(ErrorKind::kUnsupported, "this flow runs a model on one device alone", "the torch flow takes several");
  }

  /// The limits of options.device, measured anew: takes seconds, so keep them. Throws Error(kUnsupported).
  virtual DeviceLimits measure_limits(const RunOptions&) {
    throw Error(ErrorKind::kUnsupported, "this flow measures no device limits", "the torch flow does");
  }
};

}  // namespace nongemm
