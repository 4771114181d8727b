#include "flows/torch/quantize/low_bit_kernels.h"

#include <algorithm>
#include <cstddef>

#include "base/simd_dispatch.h"

namespace nongemm::torch_flow {
namespace {

/// Columns that are unpacked at once.
constexpr std::int64_t kAtOnce = 256;

/// Columns [first, first + count) as numbers from 0 on, or with their sign. @param first an even column
NONGEMM_ALWAYS_INLINE void unpack(const GroupedRow& row, std::int64_t first, std::int64_t count, std::int16_t* values) {
  if (row.bits == 4) {
    const auto* from = static_cast<const std::uint8_t*>(row.values) + first / 2;
    for (std::int64_t i = 0; i < count / 2; ++i) {
      values[2 * i] = from[i] & 15;
      values[2 * i + 1] = from[i] >> 4;
    }
    if (count % 2 != 0) values[count - 1] = from[count / 2] & 15;
  } else if (row.zeros != nullptr) {
    const auto* from = static_cast<const std::uint8_t*>(row.values) + first;
    for (std::int64_t i = 0; i < count; ++i) values[i] = from[i];
  } else {
    const auto* from = static_cast<const std::int8_t*>(row.values) + first;
    for (std::int64_t i = 0; i < count; ++i) values[i] = from[i];
  }
}

NONGEMM_ALWAYS_INLINE void dequantize_row_inline(const GroupedRow& row, float* out) {
  std::int16_t values[kAtOnce];
  for (std::int64_t first = 0; first < row.columns; first += kAtOnce) {
    const std::int64_t last = std::min(first + kAtOnce, row.columns);
    unpack(row, first, last - first, values);
    for (std::int64_t begin = first; begin < last;) {
      const std::int64_t group = begin / row.group;
      const std::int64_t end = std::min(last, (group + 1) * row.group);
      const float scale = row.scales[group];
      const int zero = row.zeros != nullptr ? row.zeros[group] : row.bits == 4 ? 8 : 0;
      for (std::int64_t i = begin; i < end; ++i) out[i] = static_cast<float>(values[i - first] - zero) * scale;
      begin = end;
    }
  }
}

#if NONGEMM_HAS_AVX2_VERSION
NONGEMM_TARGET_AVX2 void dequantize_row_avx2(const GroupedRow& row, float* out) { dequantize_row_inline(row, out); }
#endif

}  // namespace

void dequantize_row(const GroupedRow& row, float* out) {
#if NONGEMM_HAS_AVX2_VERSION
  if (runs_avx2()) return dequantize_row_avx2(row, out);
#endif
  dequantize_row_inline(row, out);
}

}  // namespace nongemm::torch_flow
