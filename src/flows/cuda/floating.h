// Floating-point types of kernels.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

#include "base/dtype.h"
#include "base/error.h"

namespace nongemm::cuda {

__device__ inline float as_float(float value) { return value; }
__device__ inline float as_float(__half value) { return __half2float(value); }
__device__ inline float as_float(__nv_bfloat16 value) { return __bfloat162float(value); }

template <typename T>
__device__ T rounded(float value) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return value;
  } else if constexpr (std::is_same_v<T, __half>) {
    return __float2half_rn(value);
  } else {
    return __float2bfloat16_rn(value);
  }
}

/// Calls `run` with a value of the type's own C++ type. @throws Error (kUnsupported)
template <typename Run>
void by_type(DType dtype, Run&& run) {
  if (dtype == DType::kFloat16) return run(__half());
  if (dtype == DType::kBFloat16) return run(__nv_bfloat16());
  if (dtype == DType::kFloat32) return run(float());
  throw Error(ErrorKind::kUnsupported, "the program's own kernels take fp16, bf16 and fp32");
}

}  // namespace nongemm::cuda
