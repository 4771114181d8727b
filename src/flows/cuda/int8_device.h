// What the kernels of LLM.int8 share.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <type_traits>

#include "base/dtype.h"
#include "base/error.h"
#include "flows/cuda/int8.h"

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

/// What one step of int8 is of a scale, and of two. (The original's constant for its CPU, 6.200124e-05, has lost a
/// digit.)
inline constexpr float kPerStep = 7.874015718698502e-3f;
inline constexpr float kPerStepSquared = 6.2000124e-05f;

/// Copies that are filled: the outlier columns, then zeros to a whole step.
__device__ inline int filled_copies(int outliers) {
  const int filled = (outliers + kGatheredStep - 1) / kGatheredStep * kGatheredStep;
  return filled < kGatheredOutliers ? filled : kGatheredOutliers;
}

/// An entry of the weight as the original multiplies it with an outlier: in the activations' type.
template <typename T>
__device__ float dequantized(std::int8_t value, float scale) {
  return as_float(rounded<T>(static_cast<float>(value) * scale * kPerStep));
}

/// Calls `run` with a value of the type's own C++ type. @throws Error (kUnsupported)
template <typename Run>
void by_type(DType dtype, Run&& run) {
  if (dtype == DType::kFloat16) return run(__half());
  if (dtype == DType::kBFloat16) return run(__nv_bfloat16());
  if (dtype == DType::kFloat32) return run(float());
  throw Error(ErrorKind::kUnsupported, "int8 kernels take fp16, bf16 and fp32");
}

}  // namespace nongemm::cuda
