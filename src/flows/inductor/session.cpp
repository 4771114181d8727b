#include "flows/inductor/session.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#include <torch/version.h>

#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "flows/device/device.h"
#include "flows/device/tracing.h"
#include "flows/inductor/call_watch.h"
#include "flows/torch/bridge/errors.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/cuda/load.h"
#include "flows/torch/memory_watch.h"
#include "programs/inductor/kernel_map.h"
#include "programs/inductor/launches.h"

namespace nongemm::inductor_flow {
namespace {

using torch_flow::with_errors;

std::uint64_t bytes_of_weights(const Graph& graph) {
  std::uint64_t bytes = 0;
  for (const Weight& weight : graph.weights) {
    const Type& type = graph.values[weight.value].type;
    bytes += byte_size_of(type.dtype, static_cast<std::size_t>(element_count(type.shape)));
  }
  return bytes;
}

class InductorSession : public Session {
 public:
  InductorSession(const Graph& graph, const std::filesystem::path& path, const pt2::CompiledPackage& package,
                  const RunOptions& options, c10::Device device)
      : graph_(graph),
        device_(device),
        program_(inductor::map_kernels(package, graph)),
        weight_bytes_(inductor::is_package_graph(graph) ? package.constant_bytes : bytes_of_weights(graph)),
        fp32_in_tf32_{options.allows_tf32(false), options.allows_tf32(true)} {
    if (options.threads > 0) at::set_num_threads(options.threads);
    at::globalContext().setAllowTF32CuBLAS(fp32_in_tf32_.products);
    at::globalContext().setAllowTF32CuDNN(fp32_in_tf32_.convolutions);
    if (device.is_cuda()) cuda_ = &device::library();
    const Scope scope(device_);
    // One inference at a time, so the loader need not guard several: that is what can be captured, too.
    constexpr bool kSingleThreaded = true;
    constexpr std::size_t kRunners = 1;
    try {
      loader_ = with_errors("loading the compiled package", [&] {
        return std::make_unique<torch::inductor::AOTIModelPackageLoader>(
            path.string(), package.model, kSingleThreaded, kRunners,
            device.is_cuda() ? device.index() : c10::DeviceIndex(-1));
      });
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kFailed) throw;
      // No package says which torch it was compiled by.
      throw Error(ErrorKind::kFailed, path.string() + ": " + error.what(),
                  "a package of another torch does not load: compile it with torch " TORCH_VERSION
                  ", which this program was built with");
    }
  }

  ~InductorSession() override {
    try {
      if (cuda_ != nullptr) cuda_->tracer().detach();
      replay_.reset();
      outputs_.clear();
      inputs_.clear();
      loader_.reset();
      if (cuda_ != nullptr) torch_flow::release_cached_memory();
    } catch (...) {  // a device that has failed: the next session will say so
    }
  }

  void set_inputs(const std::vector<HostTensor>& inputs) override {
    const Scope scope(device_);
    with_errors("placing the inputs", [&] {
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const at::Tensor input = torch_flow::to_torch(inputs[i], device_);
        if (replay_ != nullptr) {  // which reads the memory that it was captured with
          inputs_[i].copy_(input);
        } else if (i < inputs_.size()) {
          inputs_[i] = input;
        } else {
          inputs_.push_back(input);
        }
      }
    });
    if (!completed_) observe();
    completed_ = true;
  }

  void run() override {
    const Scope scope(device_);
    stop_tracing();
    infer();
  }

  std::vector<HostTensor> outputs() override {
    const Scope scope(device_);
    return with_errors("fetching the outputs", [&] {
      if (outputs_.size() != graph_.outputs.size()) {
        throw Error(ErrorKind::kFailed, "the package gives " + std::to_string(outputs_.size()) +
                                            " results, the model has " + std::to_string(graph_.outputs.size()));
      }
      std::vector<HostTensor> tensors;
      for (const at::Tensor& output : outputs_) tensors.push_back(torch_flow::from_torch(output));
      return tensors;
    });
  }

  void run_traced(TraceLevel level, Trace& trace) override {
    const Scope scope(device_);
    trace.nodes.clear();
    if (level == TraceLevel::kHost && cuda_ == nullptr) return trace_host(trace);
    if (cuda_ == nullptr) {
      throw Error(ErrorKind::kUnsupported, "a host has no device records", "trace with TraceLevel::kHost");
    }
    // Kernels for a device announce themselves to nobody on the host: launches tell when their calls were.
    if (level == TraceLevel::kTiming || replay_ != nullptr) {
      trace_device_only({&trace, 1});
    } else {
      trace_launches(trace);
      program_.assign_launches(trace);
    }
    if (level == TraceLevel::kHost) trace.device.clear();
  }

  void run_traced_in_a_row(TraceLevel level, std::span<Trace> traces) override {
    if (level != TraceLevel::kTiming || cuda_ == nullptr) return Session::run_traced_in_a_row(level, traces);
    const Scope scope(device_);
    trace_device_only(traces);
  }

  void end_tracing() override {
    if (cuda_ != nullptr) cuda_->tracer().detach();
  }

  std::string trace_source(TraceLevel level) const override {
    if (cuda_ == nullptr) return "the brackets that Inductor puts around each kernel";
    return level == TraceLevel::kHost ? "launches of the package's kernels"
                                      : "kernels in the order that the package announces";
  }

  /// The package has its own copy of the weights, which no allocator of LibTorch's knows.
  MemoryUse run_for_memory() override {
    const Scope scope(device_);
    stop_tracing();
    if (!weight_bytes_) throw Error(ErrorKind::kUnsupported, "the package does not say how large its weights are");
    outputs_.clear();
    if (cuda_ != nullptr) {
      torch_flow::reset_peak(device_);
      infer_eagerly();
      return {*weight_bytes_, *weight_bytes_ + torch_flow::allocated_bytes(device_).peak};
    }
    const auto watch = std::make_shared<torch_flow::MemoryWatch>();
    {
      const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, watch);
      infer_eagerly();
    }
    return {*weight_bytes_, *weight_bytes_ + static_cast<std::uint64_t>(watch->peak())};
  }

  /// Packages are compiled for fixed sizes.
  std::vector<ObservedTypes> run_for_types() override { return {}; }

  const RuntimeProgram* program() const override { return &program_.steps(); }

  void capture() override {
    if (cuda_ == nullptr) throw Error(ErrorKind::kUnsupported, "graph replay needs a CUDA device");
    if (replay_ != nullptr) return;
    const Scope scope(device_);
    stop_tracing();
    replay_ = with_errors("capturing the package for replay", [&] {
      return torch_flow::graph_capture().capture(device_, [&] { outputs_ = loader_->run(inputs_); });
    });
  }

  Tf32Use fp32_in_tf32() const override { return fp32_in_tf32_; }
  DeviceState device_state() override { return cuda_ != nullptr ? cuda_->state(device_.index()) : DeviceState(); }

 private:
  /// What every call into LibTorch needs.
  struct Scope {
    explicit Scope(c10::Device device) : guard(device) {}
    c10::InferenceMode inference;
    c10::DeviceGuard guard;
  };

  /// One inference, to see what the package really launches.
  void observe() {
    const Scope scope(device_);
    if (cuda_ == nullptr) {
      std::vector<std::string> names;
      for (const Call& call : watch_calls([&] { infer_eagerly(); })) names.push_back(call.name);
      program_.complete(names, program_.steps_of_calls(names));
      return;
    }
    infer_eagerly();  // what is done at the first inference only is not the model's
    try {
      Trace trace;
      trace_launches(trace);
      const inductor::Launches launches = inductor::launches_of(trace);
      const std::vector<std::string> names(launches.kernels.begin(), launches.kernels.end());
      program_.complete(names, program_.steps_of_launches(launches.kernels));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnsupported) throw;  // without CUPTI there are no times of kernels either
    }
    cuda_->tracer().detach();
  }

  void infer_eagerly() {
    with_errors("running the package", [&] {
      outputs_ = loader_->run(inputs_);
      synchronise();
    });
  }

  void infer() {
    if (replay_ == nullptr) return infer_eagerly();
    with_errors("replaying the captured package", [&] {
      replay_->replay();
      synchronise();
    });
  }

  void trace_host(Trace& trace) {
    trace.device.clear();
    trace.synchronisations.clear();
    trace.begin_ns = now_ns();
    const std::vector<Call> calls = watch_calls([&] { infer_eagerly(); });
    trace.end_ns = now_ns();
    std::vector<std::string> names;
    for (const Call& call : calls) names.push_back(call.name);
    const std::vector<NodeId> steps = program_.steps_of_calls(names);
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (steps[i] != kNoId) trace.nodes.push_back({steps[i], calls[i].begin_ns, calls[i].end_ns});
    }
  }

  /// With launches; steps are not assigned.
  void trace_launches(Trace& trace) {
    device::Tracer& tracer = cuda_->tracer();
    tracer.enable(device::Tracer::Detail::kAttribution);
    tracer.discard();
    trace.nodes.clear();
    trace.begin_ns = now_ns();
    infer_eagerly();
    trace.end_ns = now_ns();
    tracer.collect(trace);
    device::require_records(trace);
  }

  /// The order of kernels alone says whose they are.
  void trace_device_only(std::span<Trace> traces) {
    device::trace_device_only(cuda_->tracer(), traces, [&] { infer(); });
  }

  void stop_tracing() { device::stop_tracing(cuda_); }

  void synchronise() {
    if (cuda_ != nullptr) c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
  }

  const Graph& graph_;
  c10::Device device_;
  device::Library* cuda_ = nullptr;
  inductor::CompiledProgram program_;
  std::optional<std::uint64_t> weight_bytes_;  // packages of older torch do not say
  Tf32Use fp32_in_tf32_;
  bool completed_ = false;
  std::unique_ptr<torch::inductor::AOTIModelPackageLoader> loader_;
  std::vector<at::Tensor> inputs_;
  std::vector<at::Tensor> outputs_;
  std::unique_ptr<torch_flow::CapturedGraph> replay_;
};

}  // namespace

std::unique_ptr<Session> make_session(const Graph& graph, const std::filesystem::path& path,
                                      const pt2::CompiledPackage& package, const RunOptions& options,
                                      const c10::Device& device) {
  return std::make_unique<InductorSession>(graph, path, package, options, device);
}

}  // namespace nongemm::inductor_flow
