#include "flows/torch/session.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include "base/clock.h"
#include "base/error.h"
#include "flows/torch/bridge/errors.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/capturable.h"
#include "flows/torch/cuda/load.h"
#include "flows/torch/memory_watch.h"
#include "flows/torch/program.h"
#include "flows/torch/states.h"
#include "flows/torch/watches.h"
#include "flows/torch/weights.h"

namespace nongemm::torch_flow {
namespace {

class TorchSession : public Session {
 public:
  TorchSession(const Graph& graph, const std::vector<HostTensor>& weights, const RunOptions& options,
               c10::Device device)
      : graph_(graph),
        device_(device),
        program_(graph, device),
        slots_(graph.values.size()),
        states_(graph, std::make_shared<StateStore>()),
        // As torch.backends has it: cudnn.allow_tf32 is set, cuda.matmul.allow_tf32 is not.
        fp32_in_tf32_{options.allows_tf32(false), options.allows_tf32(true)} {
    if (options.threads > 0) at::set_num_threads(options.threads);
    at::globalContext().setAllowTF32CuBLAS(fp32_in_tf32_.products);
    at::globalContext().setAllowTF32CuDNN(fp32_in_tf32_.convolutions);
    if (device.is_cuda()) cuda_ = &device::library();
    const Scope scope(device_);
    with_errors("placing the weights", [&] { place(weights, options); });
    place_constants();
  }

  /// Another entry of the model.
  TorchSession(const Graph& graph, const TorchSession& first)
      : graph_(graph),
        device_(first.device_),
        cuda_(first.cuda_),
        program_(graph, first.device_),
        slots_(graph.values.size()),
        states_(graph, first.states_.store()),
        fp32_in_tf32_(first.fp32_in_tf32_),
        weight_bytes_(first.weight_bytes_),
        owns_weights_(false) {
    const Scope scope(device_);
    share_weights(first.graph_, first.slots_, graph_, slots_);
    place_constants();
  }

  ~TorchSession() override {
    if (cuda_ == nullptr || !owns_weights_) return;
    // The next model needs the memory, and should not be measured with this one's records on.
    try {
      cuda_->tracer().detach();
      replay_.reset();
      captured_outputs_.clear();
      slots_.clear();
      release_cached_memory();
    } catch (...) {  // a device that has failed: the next session will say so
    }
  }

  void set_inputs(const std::vector<HostTensor>& inputs) override {
    const Scope scope(device_);
    with_errors("placing the inputs", [&] {
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].data == nullptr && states_.has_input(static_cast<std::uint32_t>(i))) {
          states_.clear(static_cast<std::uint32_t>(i), device_);
          continue;
        }
        c10::IValue& slot = slots_[graph_.inputs[i].value];
        at::Tensor input = laid_out(to_torch(inputs[i], device_), graph_.values[graph_.inputs[i].value].type);
        if (replay_ != nullptr) {  // which reads the memory that it was captured with
          slot.toTensor().copy_(input);
        } else {
          slot = std::move(input);
        }
      }
    });
  }

  void run() override {
    const Scope scope(device_);
    stop_tracing();
    run_plain();
  }

  std::unique_ptr<Session> entry(const Graph& graph) override { return std::make_unique<TorchSession>(graph, *this); }

  void advance() override {
    if (replay_ != nullptr) return;  // which has done it
    const Scope scope(device_);
    states_.keep(slots_);
  }

  void run_on() override {
    const Scope scope(device_);
    stop_tracing();
    if (replay_ != nullptr) return replay();
    states_.find(slots_, /*give_up=*/true);
    program_.run(slots_, WatchNothing());
    synchronise();
    states_.keep(slots_);
  }

  void remember_states() override {
    const Scope scope(device_);
    states_.remember();
  }

  void restore_states() override {
    const Scope scope(device_);
    states_.restore();
    synchronise();
  }

  bool can_change_arguments() const override { return true; }
  void change_arguments(std::span<const ArgumentChange> changes) override {
    if (replay_ != nullptr) throw Error(ErrorKind::kUnsupported, "a replay keeps the arguments that it was made with");
    for (const ArgumentChange& change : changes) program_.change_argument(change.node, change.position, change.value);
  }

  void seed(std::uint64_t seed) override {
    const Scope scope(device_);
    at::manual_seed(seed);
  }

  std::vector<HostTensor> outputs() override {
    std::vector<HostTensor> tensors;
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) tensors.push_back(output(i));
    return tensors;
  }

  HostTensor output(std::size_t index) override {
    const Scope scope(device_);
    return with_errors("fetching the outputs", [&] {
      if (replay_ != nullptr) return from_torch(captured_outputs_.at(index));
      const c10::IValue& slot = slots_[graph_.outputs.at(index).value];
      if (slot.isTensor()) return from_torch(slot.toTensor());
      return from_torch(states_.left(index));  // the run has gone on
    });
  }

  void run_traced(TraceLevel level, Trace& trace) override {
    const Scope scope(device_);
    trace.nodes.clear();
    if (level == TraceLevel::kHost) return trace_host(trace);
    if (cuda_ == nullptr) {
      throw Error(ErrorKind::kUnsupported, "a host has no device records", "trace with TraceLevel::kHost");
    }
    // A replay launches no node by itself.
    if (level == TraceLevel::kAttribution && replay_ == nullptr) {
      trace_attribution(trace);
    } else {
      run_traced_in_a_row(level == TraceLevel::kTimingSpans ? level : TraceLevel::kTiming, {&trace, 1});
    }
  }

  void run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) override {
    const bool spans = level == TraceLevel::kTimingSpans;
    if ((level != TraceLevel::kTiming && !spans) || cuda_ == nullptr) {
      return Session::run_traced_in_a_row(level, traces);
    }
    const Scope scope(device_);
    spans&& replay_ == nullptr ? trace_with_spans(traces) : trace_device_only(traces);
  }

  /// A replay launches everything at once.
  bool can_record_windows() const override { return cuda_ != nullptr && replay_ == nullptr; }

  void run_traced_windows(std::span<const Window> windows, std::span<Trace> traces) override {
    if (!can_record_windows()) return Session::run_traced_windows(windows, traces);
    const Scope scope(device_);
    device::Tracer& tracer = cuda_->tracer();
    const auto ready = [&](std::size_t i) { windows[i].first == 0 ? tracer.resume() : tracer.pause(); };
    device::trace_in_a_row(tracer, traces, ready, [&](std::size_t i) {
      states_.find(slots_, /*give_up=*/false);
      program_.run(slots_, WatchWindow(windows[i], tracer));
      synchronise();
    });
  }

  void end_tracing() override {
    if (cuda_ != nullptr) cuda_->tracer().detach();
  }

  MemoryUse run_for_memory() override {
    const Scope scope(device_);
    stop_tracing();
    clear_results();  // freed during the run they would hide its peak
    if (cuda_ != nullptr) {
      // As torch.cuda.max_memory_allocated() tells it: weights, inputs and the libraries' workspaces are in.
      reset_peak(device_);
      run_eagerly();
      return {weight_bytes_, allocated_bytes(device_).peak};
    }
    const auto watch = std::make_shared<MemoryWatch>();
    {
      const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, watch);
      run_eagerly();
    }
    return {weight_bytes_, weight_bytes_ + static_cast<std::uint64_t>(watch->peak())};
  }

  std::vector<ObservedTypes> run_for_types() override {
    const Scope scope(device_);
    stop_tracing();
    std::vector<ObservedTypes> observed;
    states_.find(slots_, /*give_up=*/false);
    program_.run(slots_, WatchTypes(graph_, observed));
    synchronise();
    return observed;
  }

  void capture() override {
    if (cuda_ == nullptr) throw Error(ErrorKind::kUnsupported, "graph replay needs a CUDA device");
    if (replay_ != nullptr) return;
    const Scope scope(device_);
    stop_tracing();
    GraphCapture& capture = graph_capture();
    captured_graph_ = std::make_unique<Graph>(without_host_checks(graph_));
    captured_program_ = std::make_unique<Program>(*captured_graph_, device_);
    clear_results();
    states_.remember();
    std::unique_ptr<CapturedGraph> captured = with_errors("capturing the model for replay", [&] {
      return capture.capture(device_, [&] {
        captured_nodes_.clear();
        clear_results();
        states_.find(slots_, /*give_up=*/false);
        captured_program_->run(slots_, WatchCapture(capture, captured_nodes_));
        states_.move_on(slots_, [&](NodeId node) {
          if (capture.captured_activities() > 0) captured_nodes_.resize(capture.captured_activities(), node);
        });
      });
    });
    states_.pin();
    states_.restore();  // the run before the capture has walked on
    for (const Output& output : graph_.outputs) captured_outputs_.push_back(slots_[output.value].toTensor());
    clear_results();
    replay_ = std::move(captured);
  }

  Tf32Use fp32_in_tf32() const override { return fp32_in_tf32_; }
  std::optional<QueueTimes> queue_times() override {
    if (cuda_ == nullptr || !cuda_->has_kernels()) return std::nullopt;
    return cuda_->queue_times(device_.index());
  }
  DeviceState device_state() override { return cuda_ != nullptr ? cuda_->state(device_.index()) : DeviceState(); }

 private:
  struct Scope {  // what every call into LibTorch needs
    explicit Scope(c10::Device device) : guard(device) {}
    c10::InferenceMode inference;
    c10::DeviceGuard guard;
  };

  void place(const std::vector<HostTensor>& weights, const RunOptions& options) {
    const std::vector<at::Tensor> tensors = place_weights(graph_, weights, options, device_, cuda_);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      weight_bytes_ += tensors[i].nbytes();
      slots_[graph_.weights[i].value] = tensors[i];
    }
  }

  void place_constants() {
    for (const Constant& constant : graph_.constants) {
      slots_[constant.value] = to_torch(constant.tensor, constant.on_host ? c10::Device(c10::kCPU) : device_);
    }
  }

  void run_eagerly() {
    states_.find(slots_, /*give_up=*/false);
    program_.run(slots_, WatchNothing());
    synchronise();
  }

  void replay() {
    with_errors("replaying the captured model", [&] {
      replay_->replay();
      synchronise();
    });
  }

  void trace_host(Trace& trace) {
    if (replay_ != nullptr) {
      throw Error(ErrorKind::kUnsupported, "a replay makes no calls for its nodes", "trace before capture()");
    }
    stop_tracing();
    trace.device.clear();
    trace.calls.clear();
    trace.synchronisations.clear();
    trace.nodes.reserve(graph_.nodes.size());
    trace.begin_ns = now_ns();
    states_.find(slots_, /*give_up=*/false);
    if (cuda_ != nullptr) {
      program_.run(slots_, WatchSteps(trace.nodes, trace.begin_ns));
    } else {
      program_.run(slots_, WatchSpans(trace.nodes));
    }
    synchronise();
    trace.end_ns = now_ns();
  }

  void run_plain() { replay_ != nullptr ? replay() : run_eagerly(); }

  /// Which node launched what; slow.
  void trace_attribution(Trace& trace) {
    device::Tracer& tracer = cuda_->tracer();
    tracer.enable(device::Tracer::Detail::kAttribution);
    tracer.discard();
    trace.nodes.reserve(graph_.nodes.size());
    trace.begin_ns = now_ns();
    try {
      states_.find(slots_, /*give_up=*/false);
      program_.run(slots_, WatchLaunches(trace.nodes, tracer));
    } catch (...) {
      tracer.pop_all();
      throw;
    }
    synchronise();
    trace.end_ns = now_ns();
    tracer.collect(trace);
    device::require_records(trace);
  }

  void trace_with_spans(std::span<Trace> traces) {
    const auto ready = [&](std::size_t i) { traces[i].nodes.reserve(graph_.nodes.size()); };
    device::trace_in_a_row(cuda_->tracer(), traces, ready, [&](std::size_t i) {
      states_.find(slots_, /*give_up=*/false);
      program_.run(slots_, WatchSteps(traces[i].nodes, traces[i].begin_ns));
      synchronise();
    });
    for (const Trace& trace : traces) device::require_records(trace);
  }

  void trace_device_only(std::span<Trace> traces) {
    device::trace_device_only(cuda_->tracer(), traces, [&] { run_plain(); });
    if (replay_ == nullptr) return;
    for (Trace& trace : traces) attribute_replay(trace);
  }

  /// A replay runs what was captured, in that order. Should the numbers differ nodes stay unknown, and the caller can
  /// compare names with an eager trace.
  void attribute_replay(Trace& trace) const {
    if (trace.device.size() != captured_nodes_.size()) return;
    for (std::size_t i = 0; i < captured_nodes_.size(); ++i) trace.device[i].node = captured_nodes_[i];
  }

  void stop_tracing() { device::stop_tracing(cuda_); }

  void clear_results() {
    for (const Node& node : graph_.nodes) {
      for (const ValueId id : node.outputs) slots_[id] = c10::IValue();
    }
  }

  void synchronise() {
    if (cuda_ != nullptr) c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
  }

  const Graph& graph_;
  c10::Device device_;
  device::Library* cuda_ = nullptr;
  Program program_;
  std::vector<c10::IValue> slots_;
  States states_;
  Tf32Use fp32_in_tf32_;
  std::uint64_t weight_bytes_ = 0;
  bool owns_weights_ = true;  // the first entry's session

  // After capture().
  std::unique_ptr<Graph> captured_graph_;
  std::unique_ptr<Program> captured_program_;
  std::vector<NodeId> captured_nodes_;
  std::vector<at::Tensor> captured_outputs_;
  std::unique_ptr<CapturedGraph> replay_;
};

}  // namespace

std::unique_ptr<Session> make_session(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const RunOptions& options, c10::Device device) {
  return std::make_unique<TorchSession>(graph, weights, options, device);
}

}  // namespace nongemm::torch_flow
