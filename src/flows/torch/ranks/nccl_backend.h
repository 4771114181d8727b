// NCCL as a backend of c10d, for tensors on CUDA devices: the seam to libnongemm_torch_cuda.so (flows/torch_cuda).
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace nongemm::torch_flow {

/// Meets nobody yet: NCCL connects with the first collective.
/// @throws Error (kUnsupported) where this build has none
c10::intrusive_ptr<c10d::Backend> make_nccl_backend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int ranks,
                                                    std::chrono::milliseconds timeout);

}  // namespace nongemm::torch_flow

/// What the module exports, named `nongemm_create_nccl_backend`.
using NongemmCreateNcclBackend = c10d::Backend* (*)(const c10::intrusive_ptr<c10d::Store>& store, int rank, int ranks,
                                                    std::chrono::milliseconds timeout);
