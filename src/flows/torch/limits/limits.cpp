#include "flows/torch/limits/limits.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_int_mm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "flows/device/device.h"
#include "flows/device/tracing.h"
#include "flows/torch/bridge/errors.h"
#include "flows/torch/cuda/load.h"

namespace nongemm::torch_flow {
namespace {

/// Seconds of one call of `work`, the best of several batches that are long enough for the wait at their end not to
/// count.
class CallTimer {
 public:
  explicit CallTimer(c10::Device device) : device_(device) {}
  /// One that does not look for the best.
  CallTimer once() const {
    CallTimer timer(device_);
    timer.total_s_ = 0;
    return timer;
  }

  double best(const std::function<void()>& work) const {
    constexpr double kBatch = 0.05;
    work();
    int calls = 1;
    double seconds = batch(work, calls);
    if (seconds < kBatch && total_s_ > 0) {
      calls = static_cast<int>(std::min(1000.0, kBatch / std::max(seconds, 1e-6)));
      seconds = batch(work, std::max(calls, 1)) / std::max(calls, 1);
      calls = std::max(calls, 1);
    }
    const Stopwatch watch;
    while (watch.seconds() < total_s_) seconds = std::min(seconds, batch(work, calls) / calls);
    return seconds;
  }

  void synchronise() const {
    if (!device_.is_cpu()) c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
  }

 private:
  double batch(const std::function<void()>& work, int calls) const {
    synchronise();
    const Stopwatch watch;
    for (int i = 0; i < calls; ++i) {
      work();
      stop_if_interrupted();
    }
    synchronise();
    return watch.seconds();
  }

  c10::Device device_;
  double total_s_ = 0.4;
};

/// LibTorch says so in words where it has no kernel for a type or a device.
bool has_no_kernel(const std::string& message) {
  for (const char* words : {"not implemented", "not support", "only support", "NOT_SUPPORTED", "not compiled"}) {
    if (message.find(words) != std::string::npos) return true;
  }
  return false;
}

/// A figure that may not exist on this device: no such kernel, or no memory for it. Whatever else goes wrong is an
/// error.
template <typename Figure>
auto measured(const char* what, Figure&& figure) -> std::optional<decltype(figure())> {
  try {
    return with_errors(what, figure);
  } catch (const Error& error) {
    const bool absent = error.kind() == ErrorKind::kUnsupported || error.kind() == ErrorKind::kOutOfMemory ||
                        has_no_kernel(error.what());
    if (!absent) throw;
    return std::nullopt;
  }
}

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
  }
  return "CPU";
}

double product_rate(const CallTimer& watch, c10::Device device, c10::ScalarType type, std::int64_t size);

/// Where LibTorch has no fast kernel for a type, a product that others do in milliseconds takes seconds: a smaller one
/// tells the same then.
std::int64_t size_in_time(const CallTimer& watch, c10::Device device, c10::ScalarType type, std::int64_t size) {
  constexpr double kMostSeconds = 0.2;
  constexpr std::int64_t kSmaller = 8;
  const double seconds =
      2.0 * std::pow(static_cast<double>(size), 3) / product_rate(watch.once(), device, type, size / kSmaller);
  return seconds > kMostSeconds ? size / kSmaller : size;
}

/// Operations per second of a square product.
double product_rate(const CallTimer& watch, c10::Device device, c10::ScalarType type, std::int64_t size) {
  const auto options = at::TensorOptions().dtype(type).device(device);
  const double operations = 2.0 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size);
  if (type == at::kChar) {
    const at::Tensor a = at::randint(-127, 128, {size, size}, options);
    const at::Tensor b = at::randint(-127, 128, {size, size}, options).t();
    return operations / watch.best([&] { at::_int_mm(a, b); });
  }
  const at::Tensor a = at::randn({size, size}, options);
  const at::Tensor b = at::randn({size, size}, options);
  at::Tensor out = at::empty({size, size}, options);
  return operations / watch.best([&] { at::mm_out(out, a, b); });
}

/// Of the smallest element-wise operator there is: on a device the duration of its kernel, otherwise of its call.
double shortest_s(const CallTimer& timer, c10::Device device) {
  at::Tensor one = at::zeros({1}, at::TensorOptions().dtype(at::kFloat).device(device));
  const auto smallest = [&] { one.neg_(); };
  if (device.is_cpu()) return timer.best(smallest);
  constexpr std::size_t kFirst = 2;  // CUPTI sets itself up during the first ones
  constexpr std::size_t kRuns = 50;
  std::vector<Trace> traces(kFirst + kRuns);
  device::Tracer& tracer = device::library().tracer();
  device::trace_device_only(tracer, traces, [&] {
    smallest();
    timer.synchronise();
  });
  tracer.detach();
  std::int64_t least_ns = std::numeric_limits<std::int64_t>::max();
  for (const Trace& trace : std::span(traces).subspan(kFirst)) {
    for (const DeviceRecord& record : trace.device) least_ns = std::min(least_ns, record.end_ns - record.begin_ns);
  }
  if (least_ns == std::numeric_limits<std::int64_t>::max()) {
    throw Error(ErrorKind::kUnsupported, "no kernel was recorded");
  }
  return static_cast<double>(least_ns) * 1e-9;
}

}  // namespace

DeviceLimits measure_limits(c10::Device device) {
  const c10::InferenceMode inference;
  const c10::DeviceGuard guard(device);
  const CallTimer watch(device);
  const bool cuda = device.is_cuda();
  DeviceLimits limits;
  limits.device = processor_name();
  if (cuda) {
    const auto devices = device::library().devices();
    limits.device = devices.at(static_cast<std::size_t>(device.index())).name;
    const auto launch = measured("launching", [&] { return device::library().measure_launch(device.index()); });
    if (launch) {
      limits.launch_ns = launch->launch_ns;
      limits.round_trip_ns = launch->round_trip_ns;
    }
    limits.queue = measured("queueing", [&] { return device::library().queue_times(device.index()); });
  }

  limits.shortest_kernel_s = measured("the smallest operator", [&] { return shortest_s(watch, device); });

  // Far beyond any cache.
  const std::int64_t elements = (cuda ? std::int64_t{1} << 30 : std::int64_t{1} << 28) / 4;
  const auto floats = at::TensorOptions().dtype(at::kFloat).device(device);
  const double bytes = static_cast<double>(elements) * 4.0;
  limits.copy_bandwidth = measured("copying", [&] {
    const at::Tensor from = at::zeros({elements}, floats);
    at::Tensor to = at::zeros({elements}, floats);
    return 2.0 * bytes / watch.best([&] { to.copy_(from, /*non_blocking=*/true); });
  });
  limits.read_bandwidth = measured("reading", [&] {
    const at::Tensor from = at::zeros({elements}, floats);
    return bytes / watch.best([&] { at::sum(from); });
  });

  const std::int64_t size = cuda ? 8192 : 1024;
  const auto rate = [&](c10::ScalarType type) {
    return measured("a product", [&] {
      return product_rate(watch, device, type, cuda ? size : size_in_time(watch, device, type, size));
    });
  };
  at::Context& context = at::globalContext();
  const bool allowed = context.allowTF32CuBLAS();
  context.setAllowTF32CuBLAS(false);
  limits.fp32_rate = rate(at::kFloat);
  if (cuda) {
    context.setAllowTF32CuBLAS(true);
    limits.tf32_rate = rate(at::kFloat);
  }
  context.setAllowTF32CuBLAS(allowed);
  limits.fp16_rate = rate(at::kHalf);
  limits.bf16_rate = rate(at::kBFloat16);
  limits.int8_rate = rate(at::kChar);
  if (cuda) release_cached_memory();
  return limits;
}

}  // namespace nongemm::torch_flow
