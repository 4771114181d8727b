#include "data/image/resize_kernels.h"

#include <algorithm>

#include "base/simd_dispatch.h"

#if NONGEMM_HAS_AVX2_VERSION
#include <immintrin.h>
#endif

namespace nongemm::data {
namespace {

std::uint8_t clip8(std::int32_t sum, int precision) {
  return static_cast<std::uint8_t>(std::clamp(sum >> precision, 0, 255));
}

}  // namespace

void resample_row_plain(const std::uint8_t* row, const ResampleWeights& weights, std::uint8_t* out) {
  const std::int32_t half = 1 << (weights.precision - 1);
  for (std::size_t x = 0; x < weights.starts.size(); ++x, out += 3) {
    const std::uint8_t* in = row + 3 * weights.starts[x];
    const std::int32_t* line = weights.weights.data() + x * static_cast<std::size_t>(weights.taps);
    std::int32_t sums[3] = {half, half, half};
    for (int k = 0; k < weights.counts[x]; ++k, in += 3) {
      for (int channel = 0; channel < 3; ++channel) sums[channel] += in[channel] * line[k];
    }
    for (int channel = 0; channel < 3; ++channel) out[channel] = clip8(sums[channel], weights.precision);
  }
}

void resample_column_plain(const std::uint8_t* rows, std::size_t stride, std::size_t bytes,
                           const ResampleWeights& weights, int y, std::uint8_t* out) {
  const std::size_t index = static_cast<std::size_t>(y);
  const std::int32_t* line = weights.weights.data() + index * static_cast<std::size_t>(weights.taps);
  const std::uint8_t* first = rows + static_cast<std::size_t>(weights.starts[index]) * stride;
  for (std::size_t x = 0; x < bytes; ++x) {
    std::int32_t sum = 1 << (weights.precision - 1);
    for (int k = 0; k < weights.counts[index]; ++k) sum += first[x + static_cast<std::size_t>(k) * stride] * line[k];
    out[x] = clip8(sum, weights.precision);
  }
}

#if NONGEMM_HAS_AVX2_VERSION
namespace {

// A weight of up to 24 bits is split, w = high * 4096 + low, so that the 16-bit multiply-add can be used on both parts.
constexpr int kLowBits = 12;
constexpr std::int32_t kLowMask = (1 << kLowBits) - 1;

NONGEMM_TARGET_AVX2 __m256i pair_of_weights(std::int32_t first, std::int32_t second) {
  return _mm256_set1_epi32(static_cast<std::int32_t>((static_cast<std::uint32_t>(second) << 16) |
                                                     (static_cast<std::uint32_t>(first) & 0xFFFF)));
}

/// Four weights to two pairs for every channel: w0 w1 in the lower half, w2 w3 in the upper one.
NONGEMM_TARGET_AVX2 __m256i spread_weights(__m128i four) {
  const __m128i packed = _mm_packs_epi32(four, four);
  return _mm256_set_m128i(_mm_shuffle_epi32(packed, 0x55), _mm_shuffle_epi32(packed, 0x00));
}

NONGEMM_TARGET_AVX2 void resample_row_avx2(const std::uint8_t* row, const ResampleWeights& weights, std::uint8_t* out) {
  // Bytes r0 g0 b0 r1 ... b3 to 16-bit r0 r1 g0 g1 b0 b1 0 0 | r2 r3 g2 g3 b2 b3 0 0.
  const __m256i order = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                         6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m128i half = _mm_set1_epi32(1 << (weights.precision - 1));
  const __m128i shift = _mm_cvtsi32_si128(weights.precision);
  const __m128i mask = _mm_set1_epi32(kLowMask);
  const std::int32_t* line = weights.weights.data();
  const std::size_t count = weights.starts.size();
  for (std::size_t x = 0; x < count; ++x, out += 3, line += weights.taps) {
    const std::uint8_t* in = row + 3 * weights.starts[x];
    __m256i high = _mm256_setzero_si256();
    __m256i low = _mm256_setzero_si256();
    for (int k = 0; k < weights.counts[x]; k += 4, in += 12) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in));
      const __m256i pixels = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), order);
      const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(line + k));
      high = _mm256_add_epi32(high, _mm256_madd_epi16(pixels, spread_weights(_mm_srai_epi32(four, kLowBits))));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(pixels, spread_weights(_mm_and_si128(four, mask))));
    }
    const __m256i sums = _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    sum = _mm_sra_epi32(_mm_add_epi32(sum, half), shift);
    sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
    const auto rgb = static_cast<std::uint32_t>(_mm_cvtsi128_si32(sum));
    out[0] = static_cast<std::uint8_t>(rgb);
    out[1] = static_cast<std::uint8_t>(rgb >> 8);
    out[2] = static_cast<std::uint8_t>(rgb >> 16);
  }
}

/// Sixteen neighbouring bytes of the result, the same weights for all of them.
NONGEMM_TARGET_AVX2 __m128i column_of_16(const std::uint8_t* in, std::size_t stride, const std::int32_t* line,
                                         int count, __m256i half, __m128i shift) {
  __m256i high0 = _mm256_setzero_si256(), high1 = high0, low0 = high0, low1 = high0;
  for (int k = 0; k < count; k += 2) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + static_cast<std::size_t>(k) * stride));
    // An odd last row is paired with itself and a weight of zero (the weights are padded).
    const std::size_t next = static_cast<std::size_t>(k + 1 < count ? k + 1 : k);
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(in + next * stride));
    const __m256i pixels0 = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b));
    const __m256i pixels1 = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
    const __m256i w_high = pair_of_weights(line[k] >> kLowBits, line[k + 1] >> kLowBits);
    const __m256i w_low = pair_of_weights(line[k] & kLowMask, line[k + 1] & kLowMask);
    high0 = _mm256_add_epi32(high0, _mm256_madd_epi16(pixels0, w_high));
    high1 = _mm256_add_epi32(high1, _mm256_madd_epi16(pixels1, w_high));
    low0 = _mm256_add_epi32(low0, _mm256_madd_epi16(pixels0, w_low));
    low1 = _mm256_add_epi32(low1, _mm256_madd_epi16(pixels1, w_low));
  }
  const __m256i sum0 = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high0, kLowBits), low0), half);
  const __m256i sum1 = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high1, kLowBits), low1), half);
  // packs works within 128-bit halves: put the quarters back in order.
  const __m256i words =
      _mm256_permute4x64_epi64(_mm256_packs_epi32(_mm256_sra_epi32(sum0, shift), _mm256_sra_epi32(sum1, shift)), 0xD8);
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

NONGEMM_TARGET_AVX2 void resample_column_avx2(const std::uint8_t* rows, std::size_t stride, std::size_t bytes,
                                              const ResampleWeights& weights, int y, std::uint8_t* out) {
  const std::size_t index = static_cast<std::size_t>(y);
  const std::int32_t* line = weights.weights.data() + index * static_cast<std::size_t>(weights.taps);
  const std::uint8_t* first = rows + static_cast<std::size_t>(weights.starts[index]) * stride;
  const __m256i half = _mm256_set1_epi32(1 << (weights.precision - 1));
  const __m128i shift = _mm_cvtsi32_si128(weights.precision);
  const int count = weights.counts[index];
  std::size_t x = 0;
  for (; x + 16 <= bytes; x += 16) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + x), column_of_16(first + x, stride, line, count, half, shift));
  }
  if (x == bytes) return;
  alignas(16) std::uint8_t tail[16];
  _mm_store_si128(reinterpret_cast<__m128i*>(tail), column_of_16(first + x, stride, line, count, half, shift));
  std::copy_n(tail, bytes - x, out + x);
}

}  // namespace

void resample_row(const std::uint8_t* row, const ResampleWeights& weights, std::uint8_t* out) {
  return runs_avx2() ? resample_row_avx2(row, weights, out) : resample_row_plain(row, weights, out);
}

void resample_column(const std::uint8_t* rows, std::size_t stride, std::size_t bytes, const ResampleWeights& weights,
                     int y, std::uint8_t* out) {
  return runs_avx2() ? resample_column_avx2(rows, stride, bytes, weights, y, out)
                     : resample_column_plain(rows, stride, bytes, weights, y, out);
}

#else

void resample_row(const std::uint8_t* row, const ResampleWeights& weights, std::uint8_t* out) {
  resample_row_plain(row, weights, out);
}

void resample_column(const std::uint8_t* rows, std::size_t stride, std::size_t bytes, const ResampleWeights& weights,
                     int y, std::uint8_t* out) {
  resample_column_plain(rows, stride, bytes, weights, y, out);
}

#endif

}  // namespace nongemm::data
