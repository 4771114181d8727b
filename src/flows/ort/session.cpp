#include "flows/ort/session.h"

#include <span>

#include "base/clock.h"
#include "base/error.h"
#include "flows/device/device.h"
#include "flows/device/tracing.h"
#include "flows/ort/errors.h"
#include "flows/ort/library.h"
#include "flows/ort/model.h"
#include "flows/ort/profiled_run.h"
#include "flows/ort/states.h"
#include "flows/ort/values.h"
#include "lowering/written_states.h"
#include "programs/ort/launches.h"
#include "programs/ort/program.h"

namespace nongemm::ort_flow {
namespace {

class OrtSession : public Session {
 public:
  OrtSession(const Graph& graph, const std::vector<HostTensor>& weights, const RunOptions& options)
      : graph_(graph),
        completed_graph_(complete(graph)),
        settings_(read_settings(options)),
        model_(run_graph(), weights, options, settings_),
        states_(run_graph(), model_.lowered(), model_.inputs(), model_.outputs(), std::make_shared<StateStore>()),
        program_(model_.program()),
        binding_(model_.session()) {
    make_ready();
  }

  /// Another entry of the model.
  OrtSession(const Graph& graph, const OrtSession& first)
      : graph_(graph),
        completed_graph_(complete(graph)),
        settings_(first.settings_),
        model_(run_graph(), first.model_, settings_),
        states_(run_graph(), model_.lowered(), model_.inputs(), model_.outputs(), first.states_.store()),
        program_(model_.program()),
        binding_(model_.session()) {
    make_ready();
  }

  ~OrtSession() override {
    try {
      stop_tracing();
    } catch (...) {  // a device that has failed: the next session will say so
    }
  }

  void set_inputs(const std::vector<HostTensor>& inputs) override {
    inputs_ = inputs;
    with_errors("placing the inputs", [&] {
      // A value that is needed on the device is copied there now, not in every run.
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].data == nullptr && states_.has_input(static_cast<std::uint32_t>(i))) {
          states_.clear(static_cast<std::uint32_t>(i), model_.session(), memory_);
        } else {
          binding_.BindInput(model_.inputs()[i].c_str(), to_value(inputs_[i]));
        }
      }
      binding_.SynchronizeInputs();
    });
    complete_program();
  }

  void set_sizes(std::span<const std::int64_t> sizes) override {
    sizes_.assign(sizes.begin(), sizes.end());
    with_errors("placing the sizes", [&] {
      auto size = sizes_.begin();
      for (std::size_t i = 0; i < graph_.inputs.size(); ++i) {
        if (graph_.values[graph_.inputs[i].value].type.kind != Type::Kind::kInt) continue;
        binding_.BindInput(model_.inputs()[i].c_str(), to_value(*size++));
      }
      binding_.SynchronizeInputs();
    });
  }

  void run() override {
    stop_tracing();
    complete_program();
    infer(plain_);
  }

  std::unique_ptr<Session> entry(const Graph& graph) override {
    return with_errors("preparing a further graph", [&] { return std::make_unique<OrtSession>(graph, *this); });
  }

  void advance() override {
    with_errors("keeping the states", [&] { states_.keep(binding_, memory_); });
  }

  std::vector<HostTensor> outputs() override {
    std::vector<HostTensor> tensors;
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) tensors.push_back(output(i));
    return tensors;
  }

  HostTensor output(std::size_t index) override {
    return with_errors("fetching the outputs", [&] {
      return states_.has_kept(index) ? to_tensor(states_.kept(index)) : to_tensor(binding_.GetOutputValues().at(index));
    });
  }

  void run_traced(TraceLevel level, Trace& trace) override {
    if (level == TraceLevel::kHost) return trace_host(trace);
    if (cuda_ == nullptr) {
      throw Error(ErrorKind::kUnsupported, "a host has no device records", "trace with TraceLevel::kHost");
    }
    if (level == TraceLevel::kAttribution) {
      trace_launches(trace);
    } else {
      trace_device_only({&trace, 1});
    }
  }

  void run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) override {
    if (level != TraceLevel::kTiming || cuda_ == nullptr) return Session::run_traced_in_a_row(level, traces);
    trace_device_only(traces);
  }

  void end_tracing() override {
    if (cuda_ != nullptr) cuda_->tracer().detach();
  }

  std::string trace_source(TraceLevel level) const override {
    return level == TraceLevel::kHost ? "the runtime's own profile of each run"
                                      : "a pass in which the runtime's profile says what launched each kernel";
  }

  MemoryUse run_for_memory() override {
    stop_tracing();
    return with_errors("asking for the arena's figures", [&] {
      const Ort::Allocator arena(model_.session(), memory_);
      const auto figure = [&](const char* name) { return Library::get().allocator_figure(arena, name); };
      const std::uint64_t idle = figure("InUse");
      infer(plain_);
      const std::uint64_t most = figure("MaxInUse");
      if (most == 0) throw Error(ErrorKind::kUnsupported, "ONNX Runtime's arena has no figures");
      return MemoryUse{model_.weight_bytes(), model_.weight_bytes() + (most > idle ? most - idle : 0)};
    });
  }

  std::vector<ObservedTypes> run_for_types() override {
    stop_tracing();
    return model_.result_types().observed(run_profiled());
  }

  const RuntimeProgram* program() const override { return &program_.steps(); }

  void capture() override {
    throw Error(ErrorKind::kUnsupported, "the ort flow does not replay CUDA graphs", "the torch flow does");
  }

  Tf32Use fp32_in_tf32() const override { return {settings_.allow_tf32, settings_.allow_tf32}; }
  DeviceState device_state() override { return cuda_ != nullptr ? cuda_->state(settings_.cuda_device) : DeviceState(); }

 private:
  static Ort::MemoryInfo output_memory(const Settings& settings) {
    if (!settings.on_cuda()) return Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    return {"Cuda", OrtArenaAllocator, settings.cuda_device, OrtMemTypeDefault};
  }

  /// What is written in place has to be an output.
  static std::unique_ptr<const Graph> complete(const Graph& graph) {
    if (states_of(graph).empty()) return nullptr;
    return std::make_unique<const Graph>(onnx::with_written_states(graph));
  }
  const Graph& run_graph() const { return completed_graph_ != nullptr ? *completed_graph_ : graph_; }

  void make_ready() {
    if (settings_.on_cuda()) cuda_ = &device::library();
    for (const std::string& name : model_.outputs()) binding_.BindOutput(name.c_str(), memory_);
  }

  /// The first run tells what the program is like. What it leaves is forgotten.
  void complete_program() {
    if (completed_) return;
    program_.complete(run_profiled());
    completed_ = true;
  }

  void infer(const Ort::RunOptions& options) {
    with_errors("running the model", [&] {
      states_.bind(binding_, memory_);
      model_.session().Run(options, binding_);
    });
  }

  RunProfile run_profiled() {
    return profiled_.run([&](const Ort::RunOptions& options) { infer(options); });
  }

  void trace_host(Trace& trace) {
    stop_tracing();
    complete_program();
    trace.device.clear();
    trace.synchronisations.clear();
    const std::int64_t called = now_ns();
    const RunProfile profile = run_profiled();
    trace.nodes = program_.spans(profile);
    place(trace, profile, called);
  }

  /// Spans and end of the trace, from times relative to the profile's start.
  static void place(Trace& trace, const RunProfile& profile, std::int64_t start_ns) {
    for (NodeSpan& span : trace.nodes) {
      span.begin_ns += start_ns;
      span.end_ns += start_ns;
    }
    trace.begin_ns = start_ns;
    trace.end_ns = start_ns + profile.duration_us * 1000;
  }

  void trace_launches(Trace& trace) {
    device::Tracer& tracer = cuda_->tracer();
    tracer.enable(device::Tracer::Detail::kAttribution);
    tracer.discard();
    const std::int64_t called = now_ns();
    const RunProfile profile = run_profiled();
    trace.nodes.clear();
    trace.begin_ns = called;
    tracer.collect(trace);
    device::require_records(trace);
    trace.nodes = program_.spans(profile);
    // Opening the profile's file takes the runtime tens of microseconds.
    constexpr std::int64_t kMostDelay = 1'000'000;
    place(trace, profile, profile_start(trace.nodes, trace.device, called, kMostDelay));
    assign_launches(trace);
  }

  void trace_device_only(std::span<Trace> traces) {
    device::trace_device_only(cuda_->tracer(), traces, [&] { infer(plain_); });
  }

  void stop_tracing() { device::stop_tracing(cuda_); }

  const Graph& graph_;
  std::unique_ptr<const Graph> completed_graph_;  // where the graph writes states in place
  Settings settings_;
  Ort::MemoryInfo memory_ = output_memory(settings_);
  Model model_;
  States states_;
  Program program_;
  bool completed_ = false;
  device::Library* cuda_ = nullptr;
  std::vector<HostTensor> inputs_;   // which the binding shares
  std::vector<std::int64_t> sizes_;  // which it shares, too
  Ort::IoBinding binding_;
  Ort::RunOptions plain_;
  ProfiledRun profiled_;
};

}  // namespace

std::unique_ptr<Session> make_session(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const RunOptions& options) {
  Library::get();  // before anything of the runtime's interface is touched
  return with_errors("preparing the model", [&] { return std::make_unique<OrtSession>(graph, weights, options); });
}

}  // namespace nongemm::ort_flow
