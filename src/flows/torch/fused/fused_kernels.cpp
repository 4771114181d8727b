#include "flows/torch/fused/fused_kernels.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/half.h"

namespace nongemm::torch_flow {
namespace {

constexpr std::int64_t kSums = 8;  // sums side by side, which the compiler makes vectors of

/// The sum of term(i), i from 0 to count - 1.
template <typename Term>
float sum_of(std::int64_t count, Term&& term) {
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

void normalize_row(const NormParameters& parameters, float* values, std::int64_t columns) {
  const auto count = static_cast<float>(columns);
  float shift = 0;
  if (parameters.layer_norm) shift = sum_of(columns, [&](std::int64_t i) { return values[i]; }) / count;
  const float squares = sum_of(columns, [&](std::int64_t i) { return (values[i] - shift) * (values[i] - shift); });
  const float scale = 1.0F / std::sqrt(squares / count + parameters.epsilon);
  for (std::int64_t i = 0; i < columns; ++i) values[i] = (values[i] - shift) * scale;
  if (!parameters.layer_norm && !parameters.wide) round_to(parameters.dtype, values, columns);
  if (parameters.weight != nullptr) {
    for (std::int64_t i = 0; i < columns; ++i) values[i] *= parameters.weight[i] + parameters.offset;
  }
  if (parameters.bias != nullptr) {
    for (std::int64_t i = 0; i < columns; ++i) values[i] += parameters.bias[i];
  }
}

void rotate_row(const Turn& turn, float* values, std::int64_t width, float* scratch) {
  const std::int64_t half = width / 2;
  const std::int64_t second = turn.angles == width ? half : 0;  // where the second half's angles begin
  for (std::int64_t i = 0; i < half; ++i) {
    scratch[i] = -values[half + i] * turn.sine[i];
    scratch[half + i] = values[i] * turn.sine[second + i];
  }
  for (std::int64_t i = 0; i < half; ++i) {
    values[i] *= turn.cosine[i];
    values[half + i] *= turn.cosine[second + i];
  }
  if (!turn.wide) {
    round_to(turn.dtype, scratch, width);
    round_to(turn.dtype, values, width);
  }
  for (std::int64_t i = 0; i < width; ++i) values[i] += scratch[i];
}

}  // namespace nongemm::torch_flow
