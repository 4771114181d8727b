// What the kernels of LLM.int8 share.
#pragma once

#include <cstdint>

#include "flows/cuda/floating.h"
#include "flows/cuda/int8.h"

namespace nongemm::cuda {

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

}  // namespace nongemm::cuda
