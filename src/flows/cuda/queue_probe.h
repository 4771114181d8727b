// How the device takes up work, measured on it: the constants of the queue model (profile/queue_model.h).
#pragma once

#include "record/limits.h"

namespace nongemm::cuda {

/// Of the current device, medians; takes a quarter of a second, and the tracer, which is detached afterwards. Throws
/// Error(kUnsupported) when kernels cannot be recorded or the device's clock cannot be read.
QueueTimes measure_queue();

}  // namespace nongemm::cuda
