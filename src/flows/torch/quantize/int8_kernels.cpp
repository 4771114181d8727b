#include "flows/torch/quantize/int8_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <string>

#include "base/error.h"
#include "base/half.h"
#include "base/simd_dispatch.h"

#if NONGEMM_HAS_AVX2_VERSION
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace nongemm::torch_flow {
namespace {

struct Row {
  const void* input = nullptr;
  std::int64_t columns = 0;
  float threshold = 0;
  std::int8_t* values = nullptr;
  std::uint8_t* flags = nullptr;
};

template <DType kType>
float element(const void* input, std::int64_t i) {
  if constexpr (kType == DType::kFloat16) return half_to_float(static_cast<const std::uint16_t*>(input)[i]);
  const float value = kType == DType::kFloat32 ? static_cast<const float*>(input)[i]
                                               : bfloat16_to_float(static_cast<const std::uint16_t*>(input)[i]);
  return half_to_float(float_to_half(value));
}

/// A row without any entry that counts is all zeros. In two steps, as PyTorch divides a number by a tensor: so the
/// original's values have it on a CPU, and another last bit would be another value at ties.
float factor_of(float scale) { return scale > 0 ? 1.0f / scale * 127.0f : 0.0f; }
/// Nothing is an outlier with a threshold of 0.
float limit_of(float threshold) { return threshold > 0 ? threshold : INFINITY; }

/// From column `begin` on. @returns the largest magnitude that is no outlier
template <DType kType>
float largest_in_rest(const Row& row, std::int64_t begin, float largest) {
  const float limit = limit_of(row.threshold);
  for (std::int64_t i = begin; i < row.columns; ++i) {
    const float magnitude = std::fabs(element<kType>(row.input, i));
    if (row.threshold > 0 && magnitude >= limit) {
      if (row.flags != nullptr) row.flags[i] = 1;
    } else {
      largest = std::max(largest, magnitude);
    }
  }
  return largest;
}

template <DType kType>
void quantize_rest(const Row& row, std::int64_t begin, float factor) {
  for (std::int64_t i = begin; i < row.columns; ++i) {
    const float value = element<kType>(row.input, i);
    const bool outlier = row.threshold > 0 && std::fabs(value) >= row.threshold;
    row.values[i] = static_cast<std::int8_t>(outlier ? 0.0f : std::nearbyint(value * factor));
  }
}

template <DType kType>
float quantize_row_plain(const Row& row) {
  const float largest = largest_in_rest<kType>(row, 0, 0.0f);
  quantize_rest<kType>(row, 0, factor_of(largest));
  return largest;
}

void products_plain(const std::int8_t* values, std::int64_t rows, const std::int8_t* weight, std::int64_t first,
                    std::int64_t last, std::int64_t inner, std::int32_t* sums) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t n = first; n < last; ++n) {
      std::int32_t sum = 0;
      for (std::int64_t k = 0; k < inner; ++k) sum += values[r * inner + k] * weight[n * inner + k];
      sums[r * (last - first) + n - first] = sum;
    }
  }
}

#if NONGEMM_HAS_AVX2_VERSION
// Marked for their instruction sets one by one: the file is compiled for any x86-64.
#define NONGEMM_TARGET_ROWS __attribute__((target("avx2,f16c")))
#define NONGEMM_TARGET_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

constexpr std::int64_t kLanes = 8;

template <DType kType>
NONGEMM_TARGET_ROWS __m256 load_row(const void* input, std::int64_t i) {
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  if constexpr (kType == DType::kFloat16) {
    const auto* place = static_cast<const std::uint16_t*>(input) + i;
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(place)));
  } else if constexpr (kType == DType::kFloat32) {
    return _mm256_cvtph_ps(_mm256_cvtps_ph(_mm256_loadu_ps(static_cast<const float*>(input) + i), kNearest));
  } else {
    const auto* place = static_cast<const std::uint16_t*>(input) + i;
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(place)));
    return _mm256_cvtph_ps(_mm256_cvtps_ph(_mm256_castsi256_ps(_mm256_slli_epi32(wide, 16)), kNearest));
  }
}

NONGEMM_TARGET_ROWS inline float largest_lane(__m256 values) {
  __m128 half = _mm_max_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps(values, 1));
  half = _mm_max_ps(half, _mm_movehl_ps(half, half));
  return _mm_cvtss_f32(_mm_max_ss(half, _mm_shuffle_ps(half, half, 1)));
}

/// Twice through a row that the first time brings into the cache.
template <DType kType>
NONGEMM_TARGET_ROWS float quantize_row_avx2(const Row& row) {
  const __m256 magnitude_bits = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  const __m256 limit = _mm256_set1_ps(limit_of(row.threshold));
  const bool limited = row.threshold > 0;
  __m256 largest = _mm256_setzero_ps();
  std::int64_t i = 0;
  for (; i + kLanes <= row.columns; i += kLanes) {
    const __m256 magnitude = _mm256_and_ps(load_row<kType>(row.input, i), magnitude_bits);
    if (!limited) {
      largest = _mm256_max_ps(magnitude, largest);
      continue;
    }
    const __m256 outlier = _mm256_cmp_ps(magnitude, limit, _CMP_GE_OQ);
    largest = _mm256_max_ps(_mm256_andnot_ps(outlier, magnitude), largest);
    const auto which = static_cast<unsigned>(_mm256_movemask_ps(outlier));
    if (which == 0 || row.flags == nullptr) continue;
    for (unsigned rest = which; rest != 0; rest &= rest - 1) row.flags[i + std::countr_zero(rest)] = 1;
  }
  const float scale = largest_in_rest<kType>(row, i, largest_lane(largest));
  const float factor = factor_of(scale);
  const __m256 factors = _mm256_set1_ps(factor);
  for (i = 0; i + kLanes <= row.columns; i += kLanes) {
    __m256 value = load_row<kType>(row.input, i);
    if (limited) {
      const __m256 outlier = _mm256_cmp_ps(_mm256_and_ps(value, magnitude_bits), limit, _CMP_GE_OQ);
      value = _mm256_andnot_ps(outlier, value);
    }
    const __m256i rounded = _mm256_cvtps_epi32(_mm256_mul_ps(value, factors));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(row.values + i), _mm_packs_epi16(words, words));
  }
  quantize_rest<kType>(row, i, factor);
  return scale;
}

constexpr int kBlock = 4;  // rows by columns whose sums stay in registers

NONGEMM_TARGET_AVX2 inline std::int32_t sum_lanes(__m256i values) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1)));
}

/// kRows rows by kBlock columns. Widened to 16 bits, pairs of products cannot overflow, whatever the values.
template <int kRows>
NONGEMM_TARGET_AVX2 void block_avx2(const std::int8_t* values, const std::int8_t* weight, std::int64_t inner,
                                    std::int32_t* sums, std::int64_t stride) {
  __m256i parts[kRows][kBlock];
  for (auto& row : parts) {
    for (__m256i& part : row) part = _mm256_setzero_si256();
  }
  std::int64_t k = 0;
  for (; k + 16 <= inner; k += 16) {
    __m256i columns[kBlock];
    for (int n = 0; n < kBlock; ++n) {
      columns[n] = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weight + n * inner + k)));
    }
    for (int r = 0; r < kRows; ++r) {
      const __m256i row =
          _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values + r * inner + k)));
      for (int n = 0; n < kBlock; ++n) parts[r][n] = _mm256_add_epi32(parts[r][n], _mm256_madd_epi16(row, columns[n]));
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int n = 0; n < kBlock; ++n) {
      std::int32_t sum = sum_lanes(parts[r][n]);
      for (std::int64_t i = k; i < inner; ++i) sum += values[r * inner + i] * weight[n * inner + i];
      sums[r * stride + n] = sum;
    }
  }
}

/// The instruction multiplies unsigned by signed: rows are moved up by 128, and 128 times the column's sum comes off.
template <int kRows>
NONGEMM_TARGET_VNNI void block_vnni(const std::int8_t* values, const std::int8_t* weight, std::int64_t inner,
                                    std::int32_t* sums, std::int64_t stride) {
  const __m512i offset = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512i parts[kRows][kBlock];
  __m512i moved[kBlock];
  for (auto& row : parts) {
    for (__m512i& part : row) part = _mm512_setzero_si512();
  }
  for (__m512i& part : moved) part = _mm512_setzero_si512();
  for (std::int64_t k = 0; k < inner; k += 64) {
    const std::int64_t left = std::min<std::int64_t>(inner - k, 64);
    const __mmask64 mask = left == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
    __m512i columns[kBlock];
    for (int n = 0; n < kBlock; ++n) {
      columns[n] = _mm512_maskz_loadu_epi8(mask, weight + n * inner + k);  // zeros count nothing
      moved[n] = _mm512_dpbusd_epi32(moved[n], offset, columns[n]);
    }
    for (int r = 0; r < kRows; ++r) {
      const __m512i row = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, values + r * inner + k), offset);
      for (int n = 0; n < kBlock; ++n) parts[r][n] = _mm512_dpbusd_epi32(parts[r][n], row, columns[n]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int n = 0; n < kBlock; ++n) {
      const __m512i sum = _mm512_sub_epi32(parts[r][n], moved[n]);
      // Masked: gcc 12 warns of what the plain form leaves undefined.
      sums[r * stride + n] = sum_lanes(
          _mm256_add_epi32(_mm512_maskz_extracti64x4_epi64(0xf, sum, 0), _mm512_maskz_extracti64x4_epi64(0xf, sum, 1)));
    }
  }
}

/// Asked of the processor: clang's __builtin_cpu_supports does not know this feature.
bool runs_f16c() {
  static const bool kRuns = [] {
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;
    return runs_avx2() && __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
  }();
  return kRuns;
}

bool runs_vnni() {
  static const bool kRuns = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
  return kRuns;
}
#endif

using RowKernel = float (*)(const Row&);

template <DType kType>
RowKernel row_kernel() {
#if NONGEMM_HAS_AVX2_VERSION
  if (runs_f16c()) return quantize_row_avx2<kType>;
#endif
  return quantize_row_plain<kType>;
}

RowKernel row_kernel(DType dtype) {
  if (dtype == DType::kFloat16) return row_kernel<DType::kFloat16>();
  if (dtype == DType::kBFloat16) return row_kernel<DType::kBFloat16>();
  if (dtype == DType::kFloat32) return row_kernel<DType::kFloat32>();
  throw Error(ErrorKind::kUnsupported,
              "int8 rows are made of fp16, bf16 and fp32, not of " + std::string(name_of(dtype)));
}

NONGEMM_ALWAYS_INLINE void scale_row_inline(const std::int32_t* sums, std::int64_t count, float row_scale,
                                            const float* scales, const float* bias, const OutlierColumns& outliers,
                                            std::int64_t stride, const float* outlier_values, float* results) {
  constexpr float kPerStepSquared = 6.200124e-05f;  // 1 / 127^2, as the original has it
  for (std::int64_t i = 0; i < count; ++i) {
    results[i] = static_cast<float>(sums[i]) * (row_scale * scales[i]) * kPerStepSquared;
  }
  if (bias != nullptr) {
    for (std::int64_t i = 0; i < count; ++i) results[i] += bias[i];
  }
  for (std::int64_t j = 0; j < outliers.count; ++j) {
    const float value = outlier_values[j];
    const float* weight = outliers.weight + j * stride;
    for (std::int64_t i = 0; i < count; ++i) results[i] += value * weight[i];
  }
}

#if NONGEMM_HAS_AVX2_VERSION
NONGEMM_TARGET_AVX2 void scale_row_avx2(const std::int32_t* sums, std::int64_t count, float row_scale,
                                        const float* scales, const float* bias, const OutlierColumns& outliers,
                                        std::int64_t stride, const float* outlier_values, float* results) {
  scale_row_inline(sums, count, row_scale, scales, bias, outliers, stride, outlier_values, results);
}
#endif

}  // namespace

void quantize_rows(DType dtype, const void* input, std::int64_t columns, std::int64_t first, std::int64_t last,
                   float threshold, std::int8_t* values, float* scales, std::uint8_t* flags) {
  const RowKernel kernel = row_kernel(dtype);
  const auto row_bytes = static_cast<std::int64_t>(size_of(dtype)) * columns;
  for (std::int64_t r = first; r < last; ++r) {
    const Row row{static_cast<const std::byte*>(input) + r * row_bytes, columns, threshold, values + r * columns,
                  flags};
    scales[r] = kernel(row);
  }
}

void int8_products(const std::int8_t* values, std::int64_t rows, const std::int8_t* weight, std::int64_t first,
                   std::int64_t last, std::int64_t inner, std::int32_t* sums) {
#if NONGEMM_HAS_AVX2_VERSION
  if (runs_avx2() && last - first >= kBlock) {
    const bool vnni = runs_vnni();
    const std::int64_t stride = last - first;
    for (std::int64_t r = 0; r < rows; r += std::min<std::int64_t>(kBlock, rows - r)) {
      const std::int8_t* part = values + r * inner;
      for (std::int64_t n = 0; n < stride; n += kBlock) {
        n = std::min(n, stride - kBlock);  // the last block overlaps the one before it
        const std::int8_t* columns = weight + (first + n) * inner;
        std::int32_t* out = sums + r * stride + n;
        if (rows - r >= kBlock) {
          (vnni ? block_vnni<kBlock> : block_avx2<kBlock>)(part, columns, inner, out, stride);
        } else {
          for (std::int64_t i = 0; i < rows - r; ++i) {
            (vnni ? block_vnni<1> : block_avx2<1>)(part + i * inner, columns, inner, out + i * stride, stride);
          }
        }
      }
    }
    return;
  }
#endif
  products_plain(values, rows, weight, first, last, inner, sums);
}

void scale_row(const std::int32_t* sums, std::int64_t count, float row_scale, const float* scales, const float* bias,
               const OutlierColumns& outliers, std::int64_t stride, const float* outlier_values, float* results) {
#if NONGEMM_HAS_AVX2_VERSION
  if (runs_avx2()) {
    return scale_row_avx2(sums, count, row_scale, scales, bias, outliers, stride, outlier_values, results);
  }
#endif
  scale_row_inline(sums, count, row_scale, scales, bias, outliers, stride, outlier_values, results);
}

const char* int8_instructions() {
#if NONGEMM_HAS_AVX2_VERSION
  if (runs_vnni()) return "AVX-512 VNNI";
  if (runs_avx2()) return "AVX2";
#endif
  return "plain C++";
}

}  // namespace nongemm::torch_flow
