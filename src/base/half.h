// The two 16-bit floating-point types as bit patterns: conversion to and from float, round to nearest even.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

namespace nongemm {

/// IEEE 754 binary16. Beyond 65504 (rounded) becomes infinity, NaN stays NaN. Written without branches so that loops
/// vectorise.
inline std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits & 0x80000000u;
  const std::uint32_t magnitude = bits ^ sign;
  // Normal results: move the exponent's bias from 127 to 15, add half a unit less one, and one more when odd.
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  const std::uint32_t normal = (magnitude + (static_cast<std::uint32_t>(15 - 127) << 23) + 0xfffu + odd) >> 13;
  // Subnormal results: adding 0.5 leaves the rounded value in the lowest bits of the sum's mantissa.
  constexpr float kHalf = 0.5f;
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + kHalf) - std::bit_cast<std::uint32_t>(kHalf);
  constexpr std::uint32_t kSmallestNormal = 113u << 23;  // 2^-14
  constexpr std::uint32_t kOverflow = 143u << 23;        // 2^16
  constexpr std::uint32_t kInfinity = 255u << 23;
  std::uint32_t result = magnitude < kSmallestNormal ? subnormal : normal;
  result = magnitude >= kOverflow ? 0x7c00u : result;
  result = magnitude > kInfinity ? 0x7e00u | ((magnitude >> 13) & 0x3ffu) : result;
  return static_cast<std::uint16_t>(result | (sign >> 16));
}

inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
  const std::uint32_t magnitude = half & 0x7fffu;
  const std::uint32_t normal = (magnitude << 13) + (static_cast<std::uint32_t>(127 - 15) << 23);
  const std::uint32_t special = (magnitude << 13) | (255u << 23);
  const std::uint32_t subnormal =
      std::bit_cast<std::uint32_t>(static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24f);
  std::uint32_t result = magnitude < 0x0400u ? subnormal : normal;
  result = magnitude >= 0x7c00u ? special : result;
  return std::bit_cast<float>(result | sign);
}

/// The upper half of a float: same range, 8 bits of precision. NaN stays NaN.
inline std::uint16_t float_to_bfloat16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  const std::uint32_t quiet_nan = (bits >> 16) | 0x0040u;
  return static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet_nan : rounded);
}

inline float bfloat16_to_float(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

/// `count` elements from one floating-point type to another, as PyTorch's Tensor.to() does. The ranges must not
/// overlap.
void convert_floating(DType from, const std::byte* source, DType to, std::byte* target, std::size_t count);

}  // namespace nongemm
