// The tuned int8 products for Hopper, which lie in a library of their own, where one was built.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "flows/cuda/int8.h"

namespace nongemm::cuda {

/// False when the product has to run otherwise: the library is missing, or it does not take the device, the type or the
/// sizes.
bool launch_tuned_int8_product(const Int8Product& product, cudaStream_t stream);

/// Of Int8Product::further_scratch; 0 where launch_prepare_outliers() sums the further outlier columns by itself: that
/// is so until a product with this weight and as many rows had more of them than copies are kept for.
std::int64_t further_scratch_bytes(const Int8Product& product);
/// After launch_prepare_outliers(), for products with that scratch. @throws Error (kFailed) where it cannot be launched
void launch_further_product(const Int8Product& product, cudaStream_t stream);

}  // namespace nongemm::cuda
