// What collectives take at best between the devices of a job.
#pragma once

#include <c10/core/Device.h>

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "flows/communicator.h"

namespace nongemm::torch_flow {

/// All ranks call it. On a host the time of calls in a row, on a device that of their kernels.
CollectiveLimits measure_collectives(c10d::Backend& backend, Communicator& ranks, c10::Device device);

}  // namespace nongemm::torch_flow
