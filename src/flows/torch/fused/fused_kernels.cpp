#include "flows/torch/fused/fused_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/half.h"
#include "base/simd_dispatch.h"

namespace nongemm::torch_flow {
namespace {

constexpr std::int64_t kSums = 32;  // sums side by side, of which the compiler makes vectors

/// The sum of term(i), i from 0 to count - 1.
template <typename Term>
NONGEMM_ALWAYS_INLINE float sum_of(std::int64_t count, Term&& term) {
  float sums[kSums] = {};
  const std::int64_t whole = count / kSums * kSums;
  for (std::int64_t i = 0; i < whole; i += kSums) {
    for (std::int64_t lane = 0; lane < kSums; ++lane) sums[lane] += term(i + lane);
  }
  for (std::int64_t i = whole; i < count; ++i) sums[i - whole] += term(i);
  float total = 0;
  for (const float sum : sums) total += sum;
  return total;
}

/// (x - mean) / deviation, or x / root mean square
NONGEMM_ALWAYS_INLINE void scale_row(const NormParameters& parameters, float* values, std::int64_t columns) {
  const auto count = static_cast<float>(columns);
  float shift = 0;
  if (parameters.layer_norm) shift = sum_of(columns, [&](std::int64_t i) { return values[i]; }) / count;
  const float squares = sum_of(columns, [&](std::int64_t i) { return (values[i] - shift) * (values[i] - shift); });
  const float scale = 1.0F / std::sqrt(squares / count + parameters.epsilon);
  for (std::int64_t i = 0; i < columns; ++i) values[i] = (values[i] - shift) * scale;
}

NONGEMM_ALWAYS_INLINE void weigh_row(const NormParameters& parameters, float* values, std::int64_t columns) {
  const float* const weight = parameters.weight;
  const float* const bias = parameters.bias;
  const float offset = parameters.offset;
  if (weight != nullptr) {
    for (std::int64_t i = 0; i < columns; ++i) values[i] *= weight[i] + offset;
  }
  if (bias != nullptr) {
    for (std::int64_t i = 0; i < columns; ++i) values[i] += bias[i];
  }
}

NONGEMM_ALWAYS_INLINE void multiply_row(const Turn& turn, float* __restrict values, std::int64_t half,
                                        float* __restrict scratch) {
  const std::int64_t second = turn.angles == 2 * half ? half : 0;  // where the second half's angles begin
  const float* __restrict sine = turn.sine;
  const float* __restrict cosine = turn.cosine;
  for (std::int64_t i = 0; i < half; ++i) scratch[i] = -values[half + i] * sine[i];
  for (std::int64_t i = 0; i < half; ++i) scratch[half + i] = values[i] * sine[second + i];
  for (std::int64_t i = 0; i < half; ++i) values[i] *= cosine[i];
  for (std::int64_t i = 0; i < half; ++i) values[half + i] *= cosine[second + i];
}

NONGEMM_ALWAYS_INLINE void add(float* __restrict values, const float* __restrict others, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) values[i] += others[i];
}

#if NONGEMM_HAS_AVX2_VERSION
NONGEMM_TARGET_AVX2 void scale_row_avx2(const NormParameters& parameters, float* values, std::int64_t columns) {
  scale_row(parameters, values, columns);
}
NONGEMM_TARGET_AVX2 void weigh_row_avx2(const NormParameters& parameters, float* values, std::int64_t columns) {
  weigh_row(parameters, values, columns);
}
NONGEMM_TARGET_AVX2 void multiply_row_avx2(const Turn& turn, float* values, std::int64_t half, float* scratch) {
  multiply_row(turn, values, half, scratch);
}
#endif

void scale(const NormParameters& parameters, float* values, std::int64_t columns) {
#if NONGEMM_HAS_AVX2_VERSION
  if (runs_avx2()) return scale_row_avx2(parameters, values, columns);
#endif
  scale_row(parameters, values, columns);
}

void weigh(const NormParameters& parameters, float* values, std::int64_t columns) {
#if NONGEMM_HAS_AVX2_VERSION
  if (runs_avx2()) return weigh_row_avx2(parameters, values, columns);
#endif
  weigh_row(parameters, values, columns);
}

void multiply(const Turn& turn, float* values, std::int64_t half, float* scratch) {
#if NONGEMM_HAS_AVX2_VERSION
  if (runs_avx2()) return multiply_row_avx2(turn, values, half, scratch);
#endif
  multiply_row(turn, values, half, scratch);
}

}  // namespace

void round_to(DType dtype, float* values, std::int64_t count) {
  if (dtype == DType::kFloat32) return;
  constexpr std::int64_t kAtOnce = 256;
  std::uint16_t narrow[kAtOnce];
  for (std::int64_t first = 0; first < count; first += kAtOnce) {
    const auto some = static_cast<std::size_t>(std::min(kAtOnce, count - first));
    auto* wide = reinterpret_cast<std::byte*>(values + first);
    auto* rounded = reinterpret_cast<std::byte*>(narrow);
    convert_floating(DType::kFloat32, wide, dtype, rounded, some);
    convert_floating(dtype, rounded, DType::kFloat32, wide, some);
  }
}

void add_row(float* values, const float* others, std::int64_t count) { add(values, others, count); }

void normalize_row(const NormParameters& parameters, float* values, std::int64_t columns) {
  scale(parameters, values, columns);
  if (!parameters.layer_norm && !parameters.wide) round_to(parameters.dtype, values, columns);
  weigh(parameters, values, columns);
}

void rotate_row(const Turn& turn, float* values, std::int64_t width, float* scratch) {
  multiply(turn, values, width / 2, scratch);
  if (!turn.wide) {
    round_to(turn.dtype, scratch, width);
    round_to(turn.dtype, values, width);
  }
  add(values, scratch, width);
}

}  // namespace nongemm::torch_flow
