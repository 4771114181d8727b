#include "flows/torch/session.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/Allocator.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <time.h>

#include <algorithm>

#include "base/error.h"
#include "flows/torch/program.h"
#include "flows/torch/values.h"
#include "weights/synthetic.h"

namespace nongemm::torch_flow {
namespace {

std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

struct WatchNothing {
  void before(const Instruction&) {}
  void after(const Instruction&, const std::vector<c10::IValue>&) {}
};

class WatchSpans {
 public:
  explicit WatchSpans(std::vector<NodeSpan>& spans) : spans_(spans) {}
  void before(const Instruction&) { begin_ = now_ns(); }
  void after(const Instruction& instruction, const std::vector<c10::IValue>&) {
    spans_.push_back({instruction.node, begin_, now_ns()});
  }

 private:
  std::vector<NodeSpan>& spans_;
  std::int64_t begin_ = 0;
};

/// Notes results whose shapes only the run knows.
class WatchTypes {
 public:
  WatchTypes(const Graph& graph, std::vector<ObservedTypes>& observed) : graph_(graph), observed_(observed) {}
  void before(const Instruction&) {}
  void after(const Instruction& instruction, const std::vector<c10::IValue>& results) {
    const auto unknown = [&](ValueId id) {
      const Shape& shape = graph_.values[id].type.shape;
      return std::find(shape.begin(), shape.end(), kDynamic) != shape.end();
    };
    if (std::none_of(instruction.outputs.begin(), instruction.outputs.end(), unknown)) return;
    ObservedTypes row{instruction.node, {}};
    for (const c10::IValue& result : results) {
      if (!result.isTensorList()) {
        row.results.push_back(type_of(result));
        continue;
      }
      for (const at::Tensor& element : result.toTensorVector()) row.results.push_back(type_of(element));
    }
    observed_.push_back(std::move(row));
  }

 private:
  const Graph& graph_;
  std::vector<ObservedTypes>& observed_;
};

/// Follows the allocator: LibTorch's CPU and CUDA allocators report every allocation of the thread that asks.
class MemoryWatch : public c10::MemoryReportingInfoBase {
 public:
  explicit MemoryWatch(c10::DeviceType device) : device_(device) {}
  bool memoryProfilingEnabled() const override { return true; }
  void reportMemoryUsage(void*, std::int64_t change, std::size_t, std::size_t, c10::Device device) override {
    if (device.type() != device_) return;
    current_ += change;
    peak_ = std::max(peak_, current_);
  }
  std::int64_t peak() const { return peak_; }

 private:
  c10::DeviceType device_;
  std::int64_t current_ = 0;
  std::int64_t peak_ = 0;
};

/// Weights without data are drawn, all at once and in parallel.
std::vector<HostTensor> draw_missing(const Graph& graph, std::vector<HostTensor> tensors, const RunOptions& options) {
  std::vector<weights::WeightSpec> specs;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].data) continue;
    const Type& type = graph.values[graph.weights[i].value].type;
    specs.push_back({graph.weights[i].name, type.dtype, type.shape, graph.weights[i].init});
    places.push_back(i);
  }
  NamedTensors drawn = weights::synthesize_all(specs, options.seed, options.threads);
  for (std::size_t i = 0; i < places.size(); ++i) tensors[places[i]] = std::move(drawn[i].second);
  return tensors;
}

class TorchSession : public Session {
 public:
  TorchSession(const Graph& graph, const std::vector<HostTensor>& weights, const RunOptions& options, c10::Device device)
      : graph_(graph), device_(device), program_(graph, device), slots_(graph.values.size()) {
    if (options.threads > 0) at::set_num_threads(options.threads);
    at::globalContext().setAllowTF32CuBLAS(options.tf32);
    at::globalContext().setAllowTF32CuDNN(options.tf32);
    c10::InferenceMode inference;
    const std::vector<HostTensor> all = draw_missing(graph, weights, options);
    for (std::size_t i = 0; i < all.size(); ++i) {
      slots_[graph.weights[i].value] = to_torch(all[i], device_);
      weight_bytes_ += all[i].byte_size();
    }
    for (const Constant& constant : graph.constants) slots_[constant.value] = to_torch(constant.tensor, device_);
  }

  void set_inputs(const std::vector<HostTensor>& inputs) override {
    c10::InferenceMode inference;
    for (std::size_t i = 0; i < inputs.size(); ++i) slots_[graph_.inputs[i].value] = to_torch(inputs[i], device_);
  }

  void run() override {
    c10::InferenceMode inference;
    program_.run(slots_, WatchNothing());
    synchronise();
  }

  std::vector<HostTensor> outputs() override {
    c10::InferenceMode inference;
    std::vector<HostTensor> tensors;
    for (const Output& output : graph_.outputs) tensors.push_back(from_torch(slots_[output.value].toTensor()));
    return tensors;
  }

  void run_traced(TraceLevel level, Trace& trace) override {
    if (level != TraceLevel::kHost) {
      throw Error(ErrorKind::kUnsupported, "a host has no device records", "trace with TraceLevel::kHost");
    }
    c10::InferenceMode inference;
    trace.nodes.clear();
    trace.nodes.reserve(graph_.nodes.size());
    trace.begin_ns = now_ns();
    program_.run(slots_, WatchSpans(trace.nodes));
    synchronise();
    trace.end_ns = now_ns();
  }

  MemoryUse run_for_memory() override {
    // Results of an earlier run would be freed during this one and hide its peak.
    for (const Node& node : graph_.nodes) {
      for (const ValueId id : node.outputs) slots_[id] = c10::IValue();
    }
    const auto watch = std::make_shared<MemoryWatch>(device_.type());
    {
      const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, watch);
      run();
    }
    return {weight_bytes_, weight_bytes_ + static_cast<std::uint64_t>(watch->peak())};
  }

  std::vector<ObservedTypes> run_for_types() override {
    std::vector<ObservedTypes> observed;
    c10::InferenceMode inference;
    program_.run(slots_, WatchTypes(graph_, observed));
    synchronise();
    return observed;
  }

  void capture() override { throw Error(ErrorKind::kUnsupported, "graph replay needs a CUDA device"); }

 private:
  void synchronise() {
    if (!device_.is_cpu()) c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
  }

  const Graph& graph_;
  c10::Device device_;
  Program program_;
  std::vector<c10::IValue> slots_;
  std::uint64_t weight_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Session> make_session(const Graph& graph, const std::vector<HostTensor>& weights,
                                      const RunOptions& options, c10::Device device) {
  return std::make_unique<TorchSession>(graph, weights, options, device);
}

}  // namespace nongemm::torch_flow
