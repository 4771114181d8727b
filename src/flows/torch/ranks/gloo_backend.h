// Gloo as a backend of c10d, for tensors in host memory.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace nongemm::torch_flow {

/// @param timeout of each collective
/// @param one_machine all ranks are on this machine: they meet at the loopback address
c10::intrusive_ptr<c10d::Backend> make_gloo_backend(const c10::intrusive_ptr<c10d::Store>& store, int rank, int ranks,
                                                    std::chrono::milliseconds timeout, bool one_machine);

}  // namespace nongemm::torch_flow
