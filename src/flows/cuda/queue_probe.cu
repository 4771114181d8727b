// Kernels that say when they ran: for measuring how the device takes up work (queue_probe.h).
#include "flows/cuda/queue_kernels.h"

namespace nongemm::cuda {
namespace {

__device__ std::uint64_t device_clock() {
  std::uint64_t now = 0;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  return now;
}

__global__ void stamp_kernel(std::uint64_t* at) { *at = device_clock(); }

/// A host that never answers must not hang the device.
constexpr std::uint64_t kPatienceNs = 1'000'000'000;

/// Holds up what comes after it in the stream until the host has written.
__global__ void gate_kernel(const volatile std::uint32_t* open) {
  const std::uint64_t end = device_clock() + kPatienceNs;
  while (*open == 0 && device_clock() < end) {
  }
}

/// Answers the host's count with the device's clock.
__global__ void clock_kernel(const volatile std::uint32_t* asked, volatile std::uint64_t* answer, std::uint32_t times) {
  const std::uint64_t end = device_clock() + kPatienceNs;
  for (std::uint32_t i = 1; i <= times; ++i) {
    while (*asked != i && device_clock() < end) {
    }
    *answer = device_clock();
    __threadfence_system();
  }
}

}  // namespace

void launch_stamp(std::uint64_t* at, cudaStream_t stream) { stamp_kernel<<<1, 1, 0, stream>>>(at); }
void launch_gate(const std::uint32_t* open, cudaStream_t stream) { gate_kernel<<<1, 1, 0, stream>>>(open); }
void launch_clock(const std::uint32_t* asked, std::uint64_t* answer, std::uint32_t times, cudaStream_t stream) {
  clock_kernel<<<1, 1, 0, stream>>>(asked, answer, times);
}

}  // namespace nongemm::cuda
