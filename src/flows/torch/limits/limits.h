// A device's limits, measured with LibTorch's own operators: what the best kernels at hand reach.
#pragma once

#include <c10/core/Device.h>

#include "record/limits.h"

namespace nongemm::torch_flow {

/// Takes a few seconds. Figures that the device or this LibTorch does not offer stay absent.
DeviceLimits measure_limits(c10::Device device);

}  // namespace nongemm::torch_flow
