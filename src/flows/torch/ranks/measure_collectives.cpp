#include "flows/torch/ranks/measure_collectives.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/statistics.h"
#include "flows/device/device.h"
#include "flows/device/tracing.h"

namespace nongemm::torch_flow {
namespace {

using Work = c10::intrusive_ptr<c10d::Work>;

/// A kind, and its call without what the functional operators do around it.
struct Kind {
  const char* op;
  /// Elements of the result for `elements` of the operand.
  std::int64_t (*result)(std::int64_t elements, std::int64_t ranks);
  Work (*call)(c10d::Backend& backend, at::Tensor& result, at::Tensor& operand);
};

constexpr std::array kKinds = {
    Kind{"all_gather_into_tensor", [](std::int64_t elements, std::int64_t ranks) { return elements * ranks; },
         [](c10d::Backend& backend, at::Tensor& result, at::Tensor& operand) {
           return backend._allgather_base(result, operand);
         }},
    Kind{"all_reduce", [](std::int64_t elements, std::int64_t) { return elements; },
         [](c10d::Backend& backend, at::Tensor&, at::Tensor& operand) {
           std::vector<at::Tensor> tensors{operand};
           return backend.allreduce(tensors);
         }},
    Kind{"all_to_all_single", [](std::int64_t elements, std::int64_t) { return elements; },
         [](c10d::Backend& backend, at::Tensor& result, at::Tensor& operand) {
           std::vector<std::int64_t> equal;
           return backend.alltoall_base(result, operand, equal, equal);
         }},
    Kind{"reduce_scatter_tensor", [](std::int64_t elements, std::int64_t ranks) { return elements / ranks; },
         [](c10d::Backend& backend, at::Tensor& result, at::Tensor& operand) {
           return backend._reduce_scatter_base(result, operand);
         }},
};

/// From what a token's activations are to what a long prompt's are.
constexpr std::int64_t kLeastBytes = 1 << 10;
constexpr std::int64_t kMostBytesOnHost = 16 << 20;
constexpr std::int64_t kMostBytesOnDevice = 256 << 20;
constexpr std::int64_t kStep = 4;

class CollectiveTimer {
 public:
  CollectiveTimer(c10d::Backend& backend, Communicator& ranks, c10::Device device)
      : backend_(backend), ranks_(ranks), device_(device) {}

  /// @param bytes of the operand, about: it is cut in as many equal parts as there are ranks
  CollectivePoint measure(const Kind& kind, std::int64_t bytes) {
    const std::int64_t count = ranks_.ranks();
    const std::int64_t elements = std::max<std::int64_t>(1, bytes / 4 / count) * count;
    const auto floats = at::TensorOptions().dtype(at::kFloat).device(device_);
    at::Tensor operand = at::zeros({elements}, floats);
    at::Tensor result = at::zeros({kind.result(elements, count)}, floats);
    const auto call = [&] { kind.call(backend_, result, operand)->wait(); };
    const double seconds = device_.is_cpu() ? in_a_row(call) : kernels(call);
    return {static_cast<double>(elements) * 4.0, seconds};
  }

 private:
  /// The best of several batches. The first rank says how many calls and batches there are.
  double in_a_row(const std::function<void()>& call) {
    constexpr double kBatchSeconds = 5e-3;
    constexpr std::int64_t kMostCalls = 100;  // one call may have been quick by chance
    constexpr double kSeconds = 0.03;
    call();
    const Stopwatch once;
    call();
    const auto wanted = static_cast<std::int64_t>(kBatchSeconds / once.seconds());
    const std::int64_t calls = ranks_.from_first(std::clamp<std::int64_t>(wanted, 1, kMostCalls));
    double best = std::numeric_limits<double>::max();
    const Stopwatch all;
    while (goes_on(all.seconds() < kSeconds)) {
      const Stopwatch batch;
      for (std::int64_t i = 0; i < calls; ++i) call();
      best = std::min(best, batch.seconds() / static_cast<double>(calls));
    }
    return best;
  }

  /// The rank that took least for a call came last: it alone did not wait.
  double kernels(const std::function<void()>& call) {
    constexpr std::size_t kFirst = 3;  // NCCL connects, CUPTI sets itself up
    constexpr std::size_t kCalls = 20;
    (void)goes_on(true);
    std::vector<Trace> traces(kFirst + kCalls);
    device::Tracer& tracer = device::library().tracer();
    device::trace_device_only(tracer, traces, [&] {
      call();
      c10::impl::VirtualGuardImpl(device_.type()).synchronizeDevice(device_.index());
    });
    tracer.detach();
    std::vector<double> own(traces.size());
    for (std::size_t i = 0; i < traces.size(); ++i) {
      std::int64_t end_ns = 0;
      for (const DeviceRecord& record : traces[i].device) end_ns = std::max(end_ns, record.end_ns);
      own[i] = static_cast<double>(end_ns - traces[i].device.front().begin_ns) * 1e-9;
    }
    std::vector<double> least = own;
    for (const std::string& told : ranks_.exchange({reinterpret_cast<const char*>(own.data()), own.size() * 8})) {
      std::vector<double> other(own.size());
      std::memcpy(other.data(), told.data(), std::min(told.size(), other.size() * 8));
      for (std::size_t i = 0; i < least.size(); ++i) least[i] = std::min(least[i], other[i]);
    }
    return median({least.begin() + kFirst, least.end()});
  }

  /// What the first rank says, so that all end together.
  bool goes_on(bool more) {
    enum Said : std::int64_t { kEnd, kMore, kInterrupted };
    const std::int64_t said = ranks_.from_first(interrupted() ? kInterrupted : more ? kMore : kEnd);
    if (said == kInterrupted) throw Error(ErrorKind::kFailed, "interrupted");
    return said == kMore;
  }

  c10d::Backend& backend_;
  Communicator& ranks_;
  c10::Device device_;
};

}  // namespace

CollectiveLimits measure_collectives(c10d::Backend& backend, Communicator& ranks, c10::Device device) {
  const c10::InferenceMode inference;
  const c10::DeviceGuard guard(device);
  CollectiveTimer timer(backend, ranks, device);
  CollectiveLimits limits;
  limits.ranks = ranks.ranks();
  const std::int64_t most = device.is_cpu() ? kMostBytesOnHost : kMostBytesOnDevice;
  for (const Kind& kind : kKinds) {
    CollectiveCurve& curve = limits.curves.emplace_back();
    curve.op = kind.op;
    for (std::int64_t bytes = kLeastBytes; bytes <= most; bytes *= kStep) {
      curve.points.push_back(timer.measure(kind, bytes));
    }
  }
  return limits;
}

}  // namespace nongemm::torch_flow
