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
#include "flows/ort/values.h"
#include "programs/ort/launches.h"
#include "programs/ort/program.h"

namespace nongemm::ort_flow {
namespace {

class OrtSession : public Session {
 public:
  OrtSession(const Graph& graph, const std::vector<HostTensor>& weights, const RunOptions& options)
      : settings_(read_settings(options)),
        model_(graph, weights, options, settings_),
        program_(model_.program()),
        binding_(model_.session()) {
    if (settings_.on_cuda()) cuda_ = &device::library();
    const Ort::MemoryInfo memory = output_memory();
    for (const std::string& name : model_.outputs()) binding_.BindOutput(name.c_str(), memory);
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
        binding_.BindInput(model_.inputs()[i].c_str(), to_value(inputs_[i]));
      }
      binding_.SynchronizeInputs();
    });
    if (completed_) return;
    program_.complete(run_profiled());
    completed_ = true;
  }

  void run() override {
    stop_tracing();
    infer(plain_);
  }

  std::vector<HostTensor> outputs() override {
    return with_errors("fetching the outputs", [&] {
      std::vector<HostTensor> tensors;
      for (const Ort::Value& value : binding_.GetOutputValues()) tensors.push_back(to_tensor(value));
      return tensors;
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
      const Ort::Allocator arena(model_.session(), output_memory());
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
  Ort::MemoryInfo output_memory() const {
    if (!settings_.on_cuda()) return Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    return {"Cuda", OrtArenaAllocator, settings_.cuda_device, OrtMemTypeDefault};
  }

  void infer(const Ort::RunOptions& options) {
    with_errors("running the model", [&] { model_.session().Run(options, binding_); });
  }

  RunProfile run_profiled() {
    return profiled_.run([&](const Ort::RunOptions& options) { infer(options); });
  }

  void trace_host(Trace& trace) {
    stop_tracing();
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

  Settings settings_;
  Model model_;
  Program program_;
  bool completed_ = false;
  device::Library* cuda_ = nullptr;
  std::vector<HostTensor> inputs_;  // which the binding shares
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
