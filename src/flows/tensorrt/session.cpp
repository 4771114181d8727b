#include "flows/tensorrt/session.h"

#include <cstdio>
#include <optional>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "flows/device/device.h"
#include "flows/device/tracing.h"
#include "flows/tensorrt/convert.h"
#include "flows/tensorrt/layer_times.h"
#include "onnx/names.h"
#include "programs/tensorrt/blocks.h"
#include "programs/tensorrt/engine_map.h"
#include "traces/tensorrt/layers.h"

namespace nongemm::tensorrt {
namespace {

RuntimeProgram make_program(const Graph& graph, const traces::OnnxNodes& model, const std::string& information) {
  const traces::TensorRtEngine layers = traces::parse_tensorrt_layers(information, "TensorRT's inspector");
  std::vector<std::vector<NodeId>> graph_nodes;
  for (const traces::OnnxNode& node : model.nodes) graph_nodes.push_back(onnx::graph_nodes_in(node.name));
  return traces::program_of(layers, traces::map_engine(layers, model), graph_nodes, graph.nodes.size());
}

class TensorRtSession : public Session {
 public:
  TensorRtSession(const Graph& graph, const EngineModel& model, std::unique_ptr<Engine> engine, int device,
                  Exporter exporter, bool allows_tf32)
      : graph_(graph),
        inputs_(model.inputs),
        outputs_(model.outputs),
        device_(device),
        allows_tf32_(allows_tf32),
        exporter_(std::move(exporter)),
        engine_(std::move(engine)),
        information_(engine_->layer_information()),
        context_(engine_->context()),
        program_(with_ranges(graph, make_program(graph, model.nodes, information_), announced_ranges())),
        names_(program_) {
    exporter_.write_layers(information_);
  }

  ~TensorRtSession() override {
    try {
      end_tracing();
      exporter_.write_profile(program_, step_sums_, timed_inferences_);
    } catch (const std::exception& error) {  // a full disk; the figures are in the report
      std::fprintf(stderr, "nongemm: %s\n", error.what());
    }
  }

  void set_inputs(const std::vector<HostTensor>& inputs) override {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      Port* port = input_port(inputs_[i].name);
      if (port == nullptr) continue;
      const HostTensor tensor = as_engine_has(inputs[i], port->dtype);
      if (tensor.byte_size() != port->buffer.bytes()) {
        throw Error(ErrorKind::kBadInput, "input '" + port->name + "' is " + to_string(tensor.shape) +
                                              ", the engine was built for " + to_string(port->shape));
      }
      check(cudaMemcpy(port->buffer.get(), tensor.data.get(), tensor.byte_size(), cudaMemcpyHostToDevice),
            "copying an input to the device");
    }
  }

  void run() override {
    stop_tracing();
    launch();
    stream_.wait();
  }

  std::vector<HostTensor> outputs() override {
    std::vector<HostTensor> tensors;
    for (const onnx::Port& output : outputs_) {
      const Port& port = engine_->port(output.name);
      auto [tensor, bytes] = HostTensor::allocate(port.dtype, port.shape);
      check(cudaMemcpy(bytes, port.buffer.get(), tensor.byte_size(), cudaMemcpyDeviceToHost),
            "copying an output to the host");
      tensors.push_back(as_engine_has(tensor, graph_.values[output.value].type.dtype));
    }
    return tensors;
  }

  void run_traced(TraceLevel level, Trace& trace) override {
    trace.nodes.clear();
    if (level == TraceLevel::kHost) {
      stop_tracing();
      trace.device.clear();
      trace.synchronisations.clear();
      launch_watched(nullptr, trace);
      return;
    }
    device::Tracer& tracer = device::library().tracer();
    const bool attribution = level == TraceLevel::kAttribution && !replay_;
    tracer.enable(attribution ? device::Tracer::Detail::kAttribution : device::Tracer::Detail::kDeviceOnly);
    tracer.discard();
    if (attribution) {
      launch_watched(&tracer, trace);
      if (trace.nodes.empty()) {
        throw Error(ErrorKind::kUnsupported, "TensorRT announced no layer while it launched them",
                    "run without other tools that listen to NVTX (NVTX_INJECTION64_PATH)");
      }
    } else {
      trace.begin_ns = now_ns();
      launch();
      stream_.wait();
      trace.end_ns = now_ns();
    }
    tracer.collect(trace);
    device::require_records(trace);
  }

  void end_tracing() override { device::library().tracer().detach(); }

  std::string trace_source(TraceLevel level) const override {
    return level == TraceLevel::kHost ? "host spans of the layers that TensorRT announces"
                                      : "a pass in which TensorRT announces the layer that it launches";
  }

  MemoryUse run_for_memory() override {
    return {engine_->weight_bytes(), engine_->weight_bytes() + engine_->inference_bytes()};
  }

  /// All shapes were known when the engine was built.
  std::vector<ObservedTypes> run_for_types() override { return {}; }

  const RuntimeProgram* program() const override { return &program_; }

  std::vector<double> run_for_steps() override {
    stop_tracing();
    if (profiled_ == nullptr) {
      clock_.emplace(names_, program_.nodes.size());
      profiled_ = engine_->context();  // of its own: the plain one must not carry a profiler
      profiled_->setProfiler(&*clock_);
      enqueue(*profiled_);
      stream_.wait();
    }
    clock_->take();
    names_.restart();
    enqueue(*profiled_);
    stream_.wait();
    std::vector<double> times = clock_->take();
    step_sums_.resize(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) step_sums_[i] += times[i];
    ++timed_inferences_;
    return times;
  }

  void capture() override {
    if (replay_) return;
    run();  // what is done at the first inference only is not captured
    Capture& capture = replay_.emplace(stream_);
    try {
      enqueue(*context_);
      capture.instantiate();
    } catch (const Error& error) {
      replay_.reset();
      throw Error(ErrorKind::kUnsupported, std::string("the engine cannot be captured: ") + error.what());
    }
  }

  Tf32Use fp32_in_tf32() const override { return {allows_tf32_, allows_tf32_}; }
  DeviceState device_state() override { return device::library().state(device_); }

 private:
  /// Inputs that the model does not need are left out of it.
  Port* input_port(const std::string& name) {
    for (Port& port : engine_->ports()) {
      if (port.name == name) return &port;
    }
    return nullptr;
  }

  void enqueue(nvinfer1::IExecutionContext& context) {
    if (!context.enqueueV3(stream_.get())) fail("TensorRT cannot run the engine");
  }

  void launch() {
    if (replay_) {
      replay_->launch();
    } else {
      enqueue(*context_);
    }
  }

  void launch_watched(device::Tracer* tracer, Trace& trace) {
    set_ranges(nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY);
    trace.begin_ns = now_ns();
    {
      const LaunchWatch watch(names_, tracer, trace.nodes);
      enqueue(*context_);
      watch.rethrow();
    }
    stream_.wait();
    trace.end_ns = now_ns();
    set_ranges(nvinfer1::ProfilingVerbosity::kNONE);
  }

  /// Of one inference, on whatever the inputs hold.
  std::vector<std::string> announced_ranges() {
    RangeNames ranges;
    set_ranges(nvinfer1::ProfilingVerbosity::kLAYER_NAMES_ONLY);
    {
      const Listening listening(ranges);
      enqueue(*context_);
    }
    stream_.wait();
    set_ranges(nvinfer1::ProfilingVerbosity::kNONE);
    return ranges.names();
  }

  void set_ranges(nvinfer1::ProfilingVerbosity verbosity) { context_->setNvtxVerbosity(verbosity); }

  static void stop_tracing() { device::stop_tracing(&device::library()); }

  const Graph& graph_;
  std::vector<onnx::Port> inputs_;
  std::vector<onnx::Port> outputs_;
  int device_;
  bool allows_tf32_;
  Exporter exporter_;
  // In this order: contexts go before the engine, and the stream after both.
  Stream stream_;
  std::unique_ptr<Engine> engine_;
  std::string information_;  // of the layers, JSON
  std::unique_ptr<nvinfer1::IExecutionContext> context_;
  RuntimeProgram program_;
  StepNames names_;
  std::optional<StepClock> clock_;
  std::unique_ptr<nvinfer1::IExecutionContext> profiled_;
  std::optional<Capture> replay_;
  std::vector<double> step_sums_;  // of all timed inferences
  int timed_inferences_ = 0;
};

}  // namespace

std::unique_ptr<Session> make_session(const Graph& graph, const EngineModel& model, std::unique_ptr<Engine> engine,
                                      int device, Exporter exporter, bool allows_tf32) {
  return std::make_unique<TensorRtSession>(graph, model, std::move(engine), device, std::move(exporter), allows_tf32);
}

}  // namespace nongemm::tensorrt
