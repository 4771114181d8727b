// The tuned int8 product for Hopper, which lies in a library of its own, where one was built.
#pragma once

#include <cuda_runtime_api.h>

#include "flows/cuda/int8.h"

namespace nongemm::cuda {

/// False when the product has to run otherwise: the library is missing, or it does not take the device, the type or the
/// sizes.
bool launch_tuned_int8_product(const Int8Product& product, cudaStream_t stream);

}  // namespace nongemm::cuda
