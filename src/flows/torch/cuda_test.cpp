// The torch flow on a CUDA device; every test is skipped, saying so, on machines without one.
#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/rand.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "base/clock.h"
#include "base/error.h"
#include "base/half.h"
#include "base/statistics.h"
#include "flows/device/device.h"
#include "flows/load.h"
#include "flows/torch/bridge/values.h"
#include "flows/torch/cuda/device_time.h"
#include "flows/torch/cuda/load.h"
#include "flows/torch/roi/roi_cuda.h"
#include "prepare/model.h"
#include "prepare/prepare.h"
#include "profile/attribution.h"
#include "profile/device_pass.h"
#include "profile/windows.h"
#include "record/decomposition.h"
#include "weights/draw.h"
#include "weights/synthetic.h"

// The flow's objects are linked in: this is the module's own entry point.
extern "C" nongemm::Flow* nongemm_create_flow();

namespace nongemm::torch_flow {
namespace {

Flow& flow() {
  static Flow* const created = nongemm_create_flow();
  return *created;
}

class CudaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_nvidia_driver()) GTEST_SKIP() << "no NVIDIA driver on this machine";
    // With a driver a device that does not open is a fault, and no reason to skip anything.
    static const c10::Device opened = [] {
      flow();
      return open_cuda_device(0);
    }();
    ASSERT_TRUE(opened.is_cuda());
  }
};

struct Prepared {
  Model model;
  Graph graph;
  std::unique_ptr<Session> session;
};

Prepared prepare(const std::string& name, DeviceKind device, DType dtype, std::int64_t sequence = 32) {
  ModelOptions options;
  options.dtype = dtype;
  options.device = device;
  const Model model = find_model(name);
  if (model.row != nullptr && model.row->sequence > 0) options.sequence = sequence;
  return {model, build_graph(model, options), nullptr};
}

/// The session refers to the graph, so the graph must not move any more.
void open(Prepared& prepared, DeviceKind device) {
  const PreparedWeights weights = prepare_weights(prepared.model, prepared.graph, {});
  RunOptions options;
  options.device = {device, 0};
  prepared.session = flow().prepare(prepared.graph, weights.tensors, options);
  prepared.session->set_inputs(prepare_inputs(prepared.graph, nullptr, 0).tensors);
}

double largest_difference(const HostTensor& a, const HostTensor& b) {
  EXPECT_EQ(a.shape, b.shape);
  double difference = 0;
  for (std::int64_t i = 0; i < element_count(a.shape); ++i) {
    difference = std::max(difference, std::abs(static_cast<double>(a.as<float>()[i]) - b.as<float>()[i]));
  }
  return difference;
}

/// Each part by itself: a remainder would take up whatever one of them lacks.
void expect_the_records(const Decomposition& parts, const Trace& trace) {
  const DeviceTime time = device_time(trace);
  EXPECT_DOUBLE_EQ(parts.wall_ns, static_cast<double>(trace.end_ns - trace.begin_ns));
  EXPECT_DOUBLE_EQ(parts.device_ns(), time.busy);
  EXPECT_DOUBLE_EQ(parts.gap_ns(), time.idle);
  EXPECT_DOUBLE_EQ(parts.kernel_ns(), time.kernels);
  EXPECT_DOUBLE_EQ(parts.head_ns, time.head);
  EXPECT_DOUBLE_EQ(parts.tail_ns, time.tail);
  std::vector<double> kernels_of_node(parts.nodes.size());
  for (const DeviceRecord& record : trace.device) {
    if (record.node < kernels_of_node.size()) {
      kernels_of_node[record.node] += static_cast<double>(record.end_ns - record.begin_ns);
    }
  }
  for (std::size_t node = 0; node < parts.nodes.size(); ++node) {
    EXPECT_DOUBLE_EQ(parts.nodes[node].kernel_ns, kernels_of_node[node]) << "node " << node;
  }
}

TEST_F(CudaTest, WeightsDrawnOnTheDeviceAreTheHosts) {
  const c10::Device device = open_cuda_device(0);
  if (!device::library().has_kernels()) GTEST_SKIP() << "the CUDA library was built without nvcc";
  const InitSpec peaked = {.kind = InitSpec::Kind::kConstant, .a = 1, .peaks = 6, .every = 100, .peak = 20};
  for (const InitSpec& init :
       {InitSpec::normal(0.1, 0.02), InitSpec::uniform(-0.5, 0.25), InitSpec::constant(1.5), peaked}) {
    for (const DType dtype : {DType::kFloat16, DType::kBFloat16, DType::kFloat32, DType::kFloat64}) {
      const Shape shape = {(1 << 20) + 77};
      const HostTensor host = weights::synthesize({"layer.weight", dtype, shape, init}, 42);
      const at::Tensor drawn = at::empty(shape, at::TensorOptions().dtype(to_torch(dtype)).device(device));
      device::library().draw(weights::draw_of(init, 42, "layer.weight"), dtype, shape[0], drawn.mutable_data_ptr(),
                             current_stream(device));
      const HostTensor back = from_torch(drawn);
      EXPECT_EQ(std::memcmp(host.data.get(), back.data.get(), host.byte_size()), 0) << name_of(dtype);
    }
  }
}

TEST_F(CudaTest, OutputsAreTheHosts) {
  Prepared host = prepare("gpt2", DeviceKind::kHost, DType::kFloat32);
  open(host, DeviceKind::kHost);
  host.session->run();
  Prepared cuda = prepare("gpt2", DeviceKind::kCuda, DType::kFloat32);
  open(cuda, DeviceKind::kCuda);
  cuda.session->run();
  const auto expected = host.session->outputs();
  const auto outputs = cuda.session->outputs();
  ASSERT_EQ(expected.size(), outputs.size());
  EXPECT_LT(largest_difference(expected[0], outputs[0]), 2e-3);
}

TEST_F(CudaTest, EveryKernelBelongsToANode) {
  Prepared cuda = prepare("gpt2", DeviceKind::kCuda, DType::kFloat16, 128);
  open(cuda, DeviceKind::kCuda);
  cuda.session->run();
  Trace reference;
  for (int i = 0; i < 3; ++i) cuda.session->run_traced(TraceLevel::kAttribution, reference);
  align_to_window(reference);
  const Decomposition parts = decompose(reference, cuda.graph.nodes.size());
  EXPECT_GT(reference.device.size(), 100u);
  EXPECT_GE(parts.attributed_share(), 0.995);
  EXPECT_EQ(parts.clipped_ns, 0);
  expect_the_records(parts, reference);
  EXPECT_FALSE(reference.synchronisations.empty());  // at least the wait at the end

  Trace timing;
  for (int i = 0; i < 3; ++i) cuda.session->run_traced(TraceLevel::kTiming, timing);
  const RecordMatch match = attribute(reference, timing);
  EXPECT_TRUE(match.exact()) << match.matched << " matched, " << match.surplus << " surplus, " << match.missing
                             << " missing";
  for (const DeviceRecord& record : timing.device) {
    EXPECT_GE(record.begin_ns, timing.begin_ns - 100'000);
    EXPECT_LE(record.end_ns, timing.end_ns + 100'000);
  }
}

TEST_F(CudaTest, WindowsPutTogetherHoldEveryKernel) {
  for (const char* name : {"gpt2", "maskrcnn"}) {  // the second one with loops, branches and waits
    Prepared cuda = prepare(name, DeviceKind::kCuda, DType::kFloat32, 128);
    open(cuda, DeviceKind::kCuda);
    cuda.session->run();
    Trace reference;
    for (int i = 0; i < 3; ++i) cuda.session->run_traced(TraceLevel::kAttribution, reference);
    const WindowPlan plan(reference, 8);
    ASSERT_EQ(plan.windows().size(), 8u) << name;
    std::vector<Trace> parts(8);
    ASSERT_TRUE(cuda.session->can_record_windows());
    cuda.session->run_traced_windows(plan.windows(), parts);  // CUPTI sets itself up
    cuda.session->run_traced_windows(plan.windows(), parts);
    for (const Trace& part : parts) EXPECT_LT(part.device.size(), reference.device.size() / 4) << name;
    RecordMatch match;
    const std::optional<Trace> joined = plan.join(parts, match);
    ASSERT_TRUE(joined.has_value()) << name;
    EXPECT_TRUE(match.exact()) << name << ": " << match.surplus << " surplus, " << match.missing << " missing";
    EXPECT_EQ(joined->device.size(), reference.device.size()) << name;
    const Decomposition together = decompose(*joined, cuda.graph.nodes.size());
    EXPECT_EQ(together.attributed_share(), 1.0) << name;
    SCOPED_TRACE(name);
    expect_the_records(together, *joined);
  }
}

TEST_F(CudaTest, AnErrorWithinAWindowLeavesNothingSwitchedOff) {
  Prepared cuda = prepare("gpt2", DeviceKind::kCuda, DType::kFloat16, 128);
  open(cuda, DeviceKind::kCuda);
  const auto inputs = prepare_inputs(cuda.graph, nullptr, 0).tensors;
  Trace before;
  for (int i = 0; i < 3; ++i) cuda.session->run_traced(TraceLevel::kTiming, before);
  std::vector<HostTensor> wrong = inputs;
  wrong[0] = HostTensor::from<std::int64_t>(DType::kInt64, {1, 3}, {1, 2, 3});  // the graph is for 128 tokens
  std::vector<Trace> traces(1);
  // It fails in the first operator: within the window, and before it.
  for (const Window& window : {Window{0, 4}, Window{1, 4}}) {
    cuda.session->set_inputs(wrong);
    EXPECT_THROW(cuda.session->run_traced_windows(std::vector<Window>{window}, traces), Error);
    cuda.session->set_inputs(inputs);
    Trace after;
    cuda.session->run_traced(TraceLevel::kTiming, after);
    EXPECT_EQ(after.device.size(), before.device.size()) << window.first;
  }
}

TEST_F(CudaTest, AReplayGivesTheSameOutputsAndKernels) {
  Prepared cuda = prepare("gpt2", DeviceKind::kCuda, DType::kFloat16, 128);
  open(cuda, DeviceKind::kCuda);
  cuda.session->run();
  const auto expected = cuda.session->outputs();
  Trace reference;
  for (int i = 0; i < 3; ++i) cuda.session->run_traced(TraceLevel::kAttribution, reference);
  cuda.session->capture();
  cuda.session->run();
  const auto outputs = cuda.session->outputs();
  ASSERT_EQ(outputs[0].shape, expected[0].shape);
  double difference = 0;  // another workspace may mean another algorithm
  for (std::int64_t i = 0; i < element_count(outputs[0].shape); ++i) {
    difference = std::max<double>(difference, std::abs(half_to_float(outputs[0].as<std::uint16_t>()[i]) -
                                                       half_to_float(expected[0].as<std::uint16_t>()[i])));
  }
  EXPECT_LT(difference, 2e-2);

  EXPECT_FALSE(cuda.session->can_record_windows());
  Trace replay;
  for (int i = 0; i < 3; ++i) cuda.session->run_traced(TraceLevel::kTiming, replay);
  EXPECT_GT(replay.device.size(), 100u);
  EXPECT_GE(decompose(replay, cuda.graph.nodes.size()).attributed_share(), 0.995);
  EXPECT_GT(cuda.session->run_for_memory().peak, 0u);
}

TEST_F(CudaTest, RefusesToCaptureWhatTheDataDecides) {
  Prepared cuda = prepare("fasterrcnn", DeviceKind::kCuda, DType::kFloat32);
  open(cuda, DeviceKind::kCuda);
  EXPECT_THROW(
      {
        try {
          cuda.session->capture();
        } catch (const Error& error) {
          EXPECT_EQ(error.kind(), ErrorKind::kUnsupported);
          throw;
        }
      },
      Error);
  cuda.session->run();
}

TEST_F(CudaTest, RoiOperatorsAreTheHosts) {
  const c10::Device device = open_cuda_device(0);
  register_cuda_roi_operators();
  c10::InferenceMode inference;
  auto nms = c10::Dispatcher::singleton().findSchemaOrThrow("torchvision::nms", "");
  for (const std::int64_t count : {1, 63, 64, 65, 1000, 4000}) {
    const at::Tensor corner = at::rand({count, 2}) * 100;
    const at::Tensor boxes = at::cat(std::vector<at::Tensor>{corner, corner + at::rand({count, 2}) * 40 + 1}, 1);
    const at::Tensor scores = at::rand({count});
    const auto on = [&](c10::Device where) {
      std::vector<c10::IValue> stack = {boxes.to(where), scores.to(where), 0.5};
      nms.callBoxed(stack);
      return stack[0].toTensor().to(c10::kCPU);
    };
    EXPECT_TRUE(on(c10::kCPU).equal(on(device))) << count << " boxes";
  }
  auto align = c10::Dispatcher::singleton().findSchemaOrThrow("torchvision::roi_align", "");
  const at::Tensor input = at::rand({2, 8, 50, 37});
  const at::Tensor corner = at::rand({20, 2}) * 200 - 20;
  const at::Tensor images = at::arange(20, at::kFloat).remainder(2).unsqueeze(1);
  const at::Tensor rois = at::cat(std::vector<at::Tensor>{images, corner, corner + at::rand({20, 2}) * 150}, 1);
  for (const std::int64_t sampling : {-1, 2}) {
    for (const bool aligned : {false, true}) {
      const auto on = [&](c10::Device where) {
        std::vector<c10::IValue> stack = {input.to(where), rois.to(where), 0.25,   std::int64_t{7},
                                          std::int64_t{5}, sampling,       aligned};
        align.callBoxed(stack);
        return stack[0].toTensor().to(c10::kCPU);
      };
      EXPECT_TRUE(on(c10::kCPU).allclose(on(device), 1e-4, 1e-5)) << sampling << " " << aligned;
    }
  }
}

TEST_F(CudaTest, OutOfMemoryIsAnErrorAndTheNextModelRuns) {
  Prepared large = prepare("gpt2", DeviceKind::kCuda, DType::kFloat32);
  Weight weight;
  weight.name = "too.large";
  weight.value = static_cast<ValueId>(large.graph.values.size());
  Value value;
  value.type.dtype = DType::kFloat32;
  value.type.shape = {std::int64_t{1} << 38};  // a tebibyte
  large.graph.values.push_back(value);
  large.graph.weights.push_back(weight);
  try {
    open(large, DeviceKind::kCuda);
    FAIL() << "a tebibyte of weights was placed";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kOutOfMemory) << error.what();
  }
  Prepared small = prepare("gpt2", DeviceKind::kCuda, DType::kFloat32);
  open(small, DeviceKind::kCuda);
  small.session->run();
}

std::int64_t resident_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
  }
  return 0;
}

TEST_F(CudaTest, TracingLeaksNothing) {
  Prepared cuda = prepare("gpt2", DeviceKind::kCuda, DType::kFloat16);
  open(cuda, DeviceKind::kCuda);
  std::vector<Trace> traces(10);
  const std::vector<Window> windows(10, Window{40, 80});
  const auto trace = [&](int inferences) {
    for (int i = 0; i < inferences / 10; ++i) {
      if (i % 2 == 0) {
        cuda.session->run_traced_in_a_row(TraceLevel::kTiming, traces);
      } else {
        cuda.session->run_traced_windows(windows, traces);
      }
      if (i % 10 == 0) cuda.session->end_tracing();
    }
  };
  trace(1000);
  const std::int64_t before = resident_kib();
  trace(10'000);
  EXPECT_LT(resident_kib() - before, 16 * 1024);
}

TEST_F(CudaTest, PartsAddUpToTheLatencyRecordedOrReconstructed) {
  Prepared cuda = prepare("gpt2", DeviceKind::kCuda, DType::kFloat16, 128);
  open(cuda, DeviceKind::kCuda);
  PassSettings settings;
  settings.policy.iterations = 30;
  const auto plain_ms = [&] {
    std::vector<double> samples;
    for (int i = 0; i < 100; ++i) {
      const Stopwatch watch;
      cuda.session->run();
      samples.push_back(watch.seconds() * 1e3);
    }
    return median(samples);
  };
  plain_ms();
  // Kernels take as long as in traces that this test takes itself.
  std::vector<double> busy;
  Trace whole;
  for (int i = 0; i < 20; ++i) {
    cuda.session->run_traced(TraceLevel::kTiming, whole);
    busy.push_back(device_time(whole).busy * 1e-9);
  }
  cuda.session->end_tracing();
  for (const bool reconstruct : {true, false}) {
    settings.may_reconstruct = reconstruct;
    const double before = plain_ms();
    const NodePass pass = measure_on_device(*cuda.session, cuda.graph, settings, before * 1e-3);
    ASSERT_GT(pass.averaged, 0) << pass.how;
    // For people: what tracing costs, and what it leaves behind.
    std::printf("gpt2 fp16, 128 tokens: plain %.3f ms, node pass %.3f ms, plain after tracing %.3f ms\n", before,
                median(pass.wall_s) * 1e3, plain_ms());
    // The rest of the latency are head, gaps and tail, with nothing left over: outside_s would hide a part that is
    // missing, so it has to be nothing.
    double device = 0;
    double gaps = 0;
    for (const NodeTime& node : pass.nodes) {
      device += node.device_s;
      gaps += node.gap_s;
    }
    EXPECT_NEAR(device, median(busy), 0.05 * median(busy));
    EXPECT_NEAR(pass.head_s + gaps + pass.tail_s, pass.mean_wall_s - device, 1e-6);
    EXPECT_GT(pass.head_s, 0);
    EXPECT_GT(pass.tail_s, 0);
    EXPECT_EQ(pass.reconstruction.has_value(), reconstruct);
    if (reconstruct) {
      EXPECT_THAT(pass.how, ::testing::HasSubstr("30 plain inferences through a model of the device's queue"));
      EXPECT_NEAR(pass.reconstruction->latency, 1, 0.02);
      EXPECT_LT(pass.reconstruction->start_error_s, 2e-6);
    } else {
      EXPECT_NEAR(pass.mean_wall_s, before * 1e-3, 1e-9);
      EXPECT_THAT(pass.how,
                  ::testing::HasSubstr("one of 8 windows in each inference, 30 rounds, nodes by order and name"));
    }
  }
}

}  // namespace
}  // namespace nongemm::torch_flow
