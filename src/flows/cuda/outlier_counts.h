// How many outlier columns there were when a layer ran before: kernels leave it in host memory, and nobody waits for
// it. It decides how the next call is launched, never what it computes.
#pragma once

#include <cstdint>

#include "flows/device/int8.h"

namespace nongemm::cuda {

/// Where the device writes the number for products of this weight with as many rows.
std::int32_t* told_outliers(const device::Int8Product& product);

}  // namespace nongemm::cuda
