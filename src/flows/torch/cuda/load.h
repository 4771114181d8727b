// The torch flow's way to a CUDA device. No CUDA header: LibTorch's CUDA half and the program's CUDA library are loaded
// when a session asks for a device.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

#include "flows/device/device.h"
#include "flows/torch/cuda/graph.h"

namespace nongemm::torch_flow {

/// Loads libtorch_cuda.so, which registers the CUDA kernels. LibTorch looks for it once: after any question about CUDA
/// that came too early CUDA stays off. So this is called before anything else where an NVIDIA driver runs.
/// Throws Error(kUnsupported) saying what is missing.
void load_torch_cuda();

/// Whether an NVIDIA driver is loaded on this machine.
bool has_nvidia_driver();

/// Checks that the device is there and readies it. Throws Error(kUnsupported).
c10::Device open_cuda_device(int index);

/// The cudaStream_t that operators are launched on now.
void* current_stream(c10::Device device);

/// Loads libnongemm_torch_cuda.so. Throws Error(kUnsupported).
GraphCapture& graph_capture();

/// Bytes of live tensors on the device now, and the most since the last reset.
struct AllocatedBytes {
  std::uint64_t current = 0;
  std::uint64_t peak = 0;
};
AllocatedBytes allocated_bytes(c10::Device device);
void reset_peak(c10::Device device);
/// Gives memory that no tensor uses back to the driver.
void release_cached_memory();

}  // namespace nongemm::torch_flow
