// From an element's index to its value: the arithmetic of synthetic weights, shared by the host and the CUDA kernels.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "base/init_spec.h"

#ifdef __CUDACC__
#define NONGEMM_DRAW_FUNCTION __host__ __device__ __forceinline__
#else
#define NONGEMM_DRAW_FUNCTION inline __attribute__((always_inline))
#endif

namespace nongemm::weights {

/// How one tensor is drawn.
struct Draw {
  InitSpec::Kind kind = InitSpec::Kind::kConstant;
  float scale = 0;
  float offset = 0;
  std::uint64_t key = 0;
  std::uint64_t peaks_until = 0;  // before this element the middle one of each `every` is `peak`
  std::uint64_t every = 1;
  float peak = 0;
};

NONGEMM_DRAW_FUNCTION bool is_peak(const Draw& draw, std::uint64_t index) {
  return index < draw.peaks_until && index % draw.every == draw.every / 2;
}

/// Finaliser of SplitMix64 (Steele, Lea, Flood 2014).
NONGEMM_DRAW_FUNCTION std::uint64_t mix64(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// The key of the stretch of 2^32 elements that holds element `index`: the hash below takes 32 bits.
NONGEMM_DRAW_FUNCTION std::uint64_t stretch_key(std::uint64_t key, std::uint64_t index) {
  return mix64(key + (index >> 32));
}

/// 32 random bits from the lower 32 bits of an element's index. The key enters twice, so that the streams of two
/// tensors are no shifted copies of each other. Constants: "lowbias32" of C. Wellons' hash-prospector.
NONGEMM_DRAW_FUNCTION std::uint32_t hash_index(std::uint32_t index, std::uint32_t key_low, std::uint32_t key_high) {
  std::uint32_t x = index + key_low;
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= (x >> 15) ^ key_high;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

NONGEMM_DRAW_FUNCTION float uniform_value(std::uint32_t bits, float scale, float offset) {
  return static_cast<float>(static_cast<std::int32_t>(bits >> 8)) * scale + offset;
}

/// The sum of four 16-bit uniform numbers, centred.
NONGEMM_DRAW_FUNCTION float normal_value(std::uint32_t bits, float scale, float offset) {
  std::uint32_t y = bits * 0x9e3779b1u;  // a second word out of the first
  y ^= y >> 15;
  const std::uint32_t sum = (bits & 0xffffu) + (bits >> 16) + (y & 0xffffu) + (y >> 16);
  return static_cast<float>(static_cast<std::int32_t>(sum) - 131070) * scale + offset;
}

/// What to draw for the tensor `name`.
inline Draw draw_of(const InitSpec& init, std::uint64_t seed, const std::string& name) {
  std::uint64_t key = mix64(seed + 0x9e3779b97f4a7c15u);
  for (const char c : name) key = mix64(key ^ static_cast<unsigned char>(c)) + 0x9e3779b97f4a7c15u;
  Draw draw{init.kind, 0.0f, static_cast<float>(init.a), key};
  draw.every = static_cast<std::uint64_t>(init.every);
  draw.peaks_until = static_cast<std::uint64_t>(init.peaks) * draw.every;
  draw.peak = static_cast<float>(init.peak);
  if (init.kind == InitSpec::Kind::kNormal) {
    // Four uniform numbers in [0, 2^16): variance (2^32 - 1) / 12 each.
    draw.scale = static_cast<float>(init.b / std::sqrt(4.0 * (0x1p32 - 1.0) / 12.0));
  } else if (init.kind == InitSpec::Kind::kUniform) {
    draw.scale = static_cast<float>((init.b - init.a) * 0x1p-24);
  }
  return draw;
}

}  // namespace nongemm::weights
