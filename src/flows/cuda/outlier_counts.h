// How many outlier columns there were when a layer ran before: kernels leave it in host memory, and nobody waits for
// it. It decides how the next call multiplies: its results are the same but for where they are rounded.
#pragma once

#include <cstdint>

#include "flows/device/int8.h"

namespace nongemm::cuda {

/// Where the device writes the number for products of this weight with as many rows.
std::int32_t* told_outliers(const device::Int8Product& product);

/// Whether it was more than can be multiplied beside the int8 product for less than one product in the activations'
/// type costs.
bool had_many_outliers(const device::Int8Product& product);

}  // namespace nongemm::cuda
