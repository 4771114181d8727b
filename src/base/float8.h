// The two 8-bit floating-point types as bit patterns, as PyTorch and ONNX have them (OCP FP8): float8_e4m3fn, whose
// largest number is 448 and which has no infinities, and float8_e5m2, the upper half of a binary16.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "base/half.h"

namespace nongemm {

namespace float8 {

/// Rounds to nearest even; what is too large becomes `kOverflow`, as NaN becomes 0x7f.
template <int kMantissa, int kBias, std::uint32_t kOverflow>
std::uint8_t encode(float value) {
  constexpr int kDropped = 23 - kMantissa;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 31 << 7;
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint8_t>(sign | 0x7fu);
  constexpr std::uint32_t kSmallestNormal = static_cast<std::uint32_t>(127 + 1 - kBias) << 23;
  std::uint32_t result = 0;
  if (magnitude < kSmallestNormal) {
    // Adding this number leaves the rounded value in the lowest bits of the sum's mantissa.
    constexpr float kMagic = std::bit_cast<float>(static_cast<std::uint32_t>(127 + 1 - kBias + kDropped) << 23);
    result =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + kMagic) - std::bit_cast<std::uint32_t>(kMagic);
  } else {
    const std::uint32_t odd = (magnitude >> kDropped) & 1u;
    constexpr std::uint32_t kHalfUnitLess = (1u << (kDropped - 1)) - 1;
    result = (magnitude - (static_cast<std::uint32_t>(127 - kBias) << 23) + kHalfUnitLess + odd) >> kDropped;
  }
  return static_cast<std::uint8_t>(sign | std::min(result, kOverflow));
}

}  // namespace float8

inline std::uint8_t float_to_float8_e4m3(float value) { return float8::encode<3, 7, 0x7fu>(value); }
inline std::uint8_t float_to_float8_e5m2(float value) { return float8::encode<2, 15, 0x7cu>(value); }

inline float float8_e4m3_to_float(std::uint8_t value) {
  const std::uint32_t magnitude = value & 0x7fu;
  const float sign = value < 0x80u ? 1.0f : -1.0f;
  if (magnitude == 0x7fu) return std::numeric_limits<float>::quiet_NaN();
  if (magnitude < 8) return sign * static_cast<float>(magnitude) * 0x1p-9f;
  return sign * std::bit_cast<float>((magnitude << 20) + (static_cast<std::uint32_t>(127 - 7) << 23));
}

inline float float8_e5m2_to_float(std::uint8_t value) { return half_to_float(static_cast<std::uint16_t>(value << 8)); }

}  // namespace nongemm
