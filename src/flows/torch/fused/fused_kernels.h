// Rows of the fused operators on the host, in fp32 numbers that are rounded to a type where PyTorch's operators do it.
#pragma once

#include <cstdint>

#include "base/dtype.h"

namespace nongemm::torch_flow {

/// A norm's parameters, the same for all rows.
struct NormParameters {
  const float* weight = nullptr;  // [columns], or none
  const float* bias = nullptr;    // of a layer norm
  float epsilon = 0;
  float offset = 0;  // is added to the weight
  bool layer_norm = false;
  bool wide = false;  // the weight is multiplied before the result is rounded
  DType dtype = DType::kFloat32;
};

/// Rounds to a type's nearest numbers. fp32, fp16, bf16.
void round_to(DType dtype, float* values, std::int64_t count);

/// values += others
void add_row(float* values, const float* others, std::int64_t count);

/// @param values a row, replaced by its norm, which is still to be rounded
void normalize_row(const NormParameters& parameters, float* values, std::int64_t columns);

/// Turns a head's halves. @param cosine, sine [angles], with as many angles as elements or half as many
struct Turn {
  const float* cosine = nullptr;
  const float* sine = nullptr;
  std::int64_t angles = 0;
  bool wide = false;
  DType dtype = DType::kFloat32;
};
/// @param scratch of `width` elements
void rotate_row(const Turn& turn, float* values, std::int64_t width, float* scratch);

}  // namespace nongemm::torch_flow
