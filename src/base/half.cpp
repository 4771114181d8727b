#include "base/half.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/error.h"
#include "base/float8.h"
#include "base/simd_dispatch.h"

namespace nongemm {
namespace {

// Any pair goes through floats in a buffer that stays in the first-level cache. (float64 to float64 does not come
// here.)
constexpr std::size_t kBlock = 2048;

template <typename From, typename To, typename Convert>
NONGEMM_ALWAYS_INLINE void convert_loop(const std::byte* source, std::byte* target, std::size_t count,
                                        Convert convert) {
  const From* __restrict from = reinterpret_cast<const From*>(source);
  To* __restrict to = reinterpret_cast<To*>(target);
  for (std::size_t i = 0; i < count; ++i) to[i] = convert(from[i]);
}

NONGEMM_ALWAYS_INLINE void widen(DType from, const std::byte* source, float* target, std::size_t count) {
  auto* bytes = reinterpret_cast<std::byte*>(target);
  switch (from) {
    case DType::kFloat16:
      convert_loop<std::uint16_t, float>(source, bytes, count, [](std::uint16_t x) { return half_to_float(x); });
      break;
    case DType::kBFloat16:
      convert_loop<std::uint16_t, float>(source, bytes, count, [](std::uint16_t x) { return bfloat16_to_float(x); });
      break;
    case DType::kFloat8E4M3:
      convert_loop<std::uint8_t, float>(source, bytes, count, [](std::uint8_t x) { return float8_e4m3_to_float(x); });
      break;
    case DType::kFloat8E5M2:
      convert_loop<std::uint8_t, float>(source, bytes, count, [](std::uint8_t x) { return float8_e5m2_to_float(x); });
      break;
    case DType::kFloat64:
      convert_loop<double, float>(source, bytes, count, [](double x) { return static_cast<float>(x); });
      break;
    default:
      std::memcpy(target, source, count * sizeof(float));
      break;
  }
}

NONGEMM_ALWAYS_INLINE void narrow(const float* source, DType to, std::byte* target, std::size_t count) {
  const auto* bytes = reinterpret_cast<const std::byte*>(source);
  switch (to) {
    case DType::kFloat16:
      convert_loop<float, std::uint16_t>(bytes, target, count, [](float x) { return float_to_half(x); });
      break;
    case DType::kBFloat16:
      convert_loop<float, std::uint16_t>(bytes, target, count, [](float x) { return float_to_bfloat16(x); });
      break;
    case DType::kFloat8E4M3:
      convert_loop<float, std::uint8_t>(bytes, target, count, [](float x) { return float_to_float8_e4m3(x); });
      break;
    case DType::kFloat8E5M2:
      convert_loop<float, std::uint8_t>(bytes, target, count, [](float x) { return float_to_float8_e5m2(x); });
      break;
    case DType::kFloat64:
      convert_loop<float, double>(bytes, target, count, [](float x) { return static_cast<double>(x); });
      break;
    default:
      std::memcpy(target, source, count * sizeof(float));
      break;
  }
}

NONGEMM_ALWAYS_INLINE void convert_blocks(DType from, const std::byte* source, DType to, std::byte* target,
                                          std::size_t count) {
  alignas(64) std::array<float, kBlock> block;
  for (std::size_t begin = 0; begin < count; begin += kBlock) {
    const std::size_t size = std::min(kBlock, count - begin);
    widen(from, source + begin * size_of(from), block.data(), size);
    narrow(block.data(), to, target + begin * size_of(to), size);
  }
}

void convert_portable(DType from, const std::byte* source, DType to, std::byte* target, std::size_t count) {
  convert_blocks(from, source, to, target, count);
}

#if defined(__x86_64__)

// The processor's own conversions between float and binary16; they round as half.h does.

__attribute__((target("avx2,f16c"))) void floats_to_halves(const std::byte* source, std::byte* target,
                                                           std::size_t count) {
  const auto* floats = reinterpret_cast<const float*>(source);
  auto* halves = reinterpret_cast<std::uint16_t*>(target);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m128i eight = _mm256_cvtps_ph(_mm256_loadu_ps(floats + i), _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(halves + i), eight);
  }
  for (; i < count; ++i) halves[i] = float_to_half(floats[i]);
}

__attribute__((target("avx2,f16c"))) void halves_to_floats(const std::byte* source, std::byte* target,
                                                           std::size_t count) {
  const auto* halves = reinterpret_cast<const std::uint16_t*>(source);
  auto* floats = reinterpret_cast<float*>(target);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm256_storeu_ps(floats + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i))));
  }
  for (; i < count; ++i) floats[i] = half_to_float(halves[i]);
}

/// Converts when the processor can do the pair in one instruction.
bool convert_by_instruction(DType from, const std::byte* source, DType to, std::byte* target, std::size_t count) {
  // Every processor with AVX2 has F16C, whose name clang 14 does not know here.
  static const bool kCan = __builtin_cpu_supports("avx2") != 0;
  if (!kCan) return false;
  if (from == DType::kFloat32 && to == DType::kFloat16) {
    floats_to_halves(source, target, count);
  } else if (from == DType::kFloat16 && to == DType::kFloat32) {
    halves_to_floats(source, target, count);
  } else {
    return false;
  }
  return true;
}

#else

bool convert_by_instruction(DType, const std::byte*, DType, std::byte*, std::size_t) { return false; }

#endif

NONGEMM_TARGET_AVX2 void convert_avx2(DType from, const std::byte* source, DType to, std::byte* target,
                                      std::size_t count) {
  convert_blocks(from, source, to, target, count);
}

}  // namespace

void convert_floating(DType from, const std::byte* source, DType to, std::byte* target, std::size_t count) {
  if (!is_floating(from) || !is_floating(to)) {
    throw Error(ErrorKind::kFailed,
                "no conversion from " + std::string(name_of(from)) + " to " + std::string(name_of(to)));
  }
  if (from == to) {
    std::memcpy(target, source, count * size_of(from));
  } else if (convert_by_instruction(from, source, to, target, count)) {
    return;
  } else if (runs_avx2()) {
    convert_avx2(from, source, to, target, count);
  } else {
    convert_portable(from, source, to, target, count);
  }
}

}  // namespace nongemm
