// NCCL's process group of LibTorch's CUDA half.
#include "flows/torch/ranks/nccl_backend.h"

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

extern "C" __attribute__((visibility("default"))) c10d::Backend* nongemm_create_nccl_backend(
    const c10::intrusive_ptr<c10d::Store>& store, int rank, int ranks, std::chrono::milliseconds timeout) {
  using c10d::ProcessGroupNCCL;
  const auto options = ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  auto backend = c10::make_intrusive<ProcessGroupNCCL>(store, rank, ranks, options);
  return backend.release();
}
