// Kernels by which the device's queue is measured (queue_probe.h). `at`, `open`, `asked` and `answer` lie in pinned
// host memory that the device writes and reads in place; times are of the device's global timer, ns.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace nongemm::cuda {

/// Writes when it runs.
void launch_stamp(std::uint64_t* at, cudaStream_t stream);
/// Runs until *open is not 0.
void launch_gate(const std::uint32_t* open, cudaStream_t stream);
/// For each i from 1 to `times`: when *asked is i, writes the time to *answer.
void launch_clock(const std::uint32_t* asked, std::uint64_t* answer, std::uint32_t times, cudaStream_t stream);

}  // namespace nongemm::cuda
