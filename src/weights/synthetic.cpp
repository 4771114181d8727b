#include "weights/synthetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/half.h"
#include "base/parallel.h"
#include "base/simd_dispatch.h"

namespace nongemm::weights {
namespace {

/// What one thread draws at a time; a power of two, so that no chunk crosses a multiple of 2^32 elements.
constexpr std::uint64_t kChunk = std::uint64_t{1} << 20;
/// Floats that are drawn before they are converted: they stay in the first-level cache.
constexpr std::size_t kBlock = 2048;

/// Finaliser of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t mix64(std::uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t key_of(std::uint64_t seed, const std::string& name) {
  std::uint64_t key = mix64(seed + 0x9e3779b97f4a7c15u);
  for (char c : name) key = mix64(key ^ static_cast<unsigned char>(c)) + 0x9e3779b97f4a7c15u;
  return key;
}

/// 32 random bits from the lower 32 bits of an element's index. The key enters twice, so that the streams of two
/// tensors are no shifted copies of each other. Constants: "lowbias32" of C. Wellons' hash-prospector.
NONGEMM_ALWAYS_INLINE std::uint32_t hash(std::uint32_t index, std::uint32_t key_low, std::uint32_t key_high) {
  std::uint32_t x = index + key_low;
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= (x >> 15) ^ key_high;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

/// How to turn an element's 32 bits into its value.
struct Draw {
  InitSpec::Kind kind;
  float scale;
  float offset;
};

Draw draw_of(const InitSpec& init) {
  if (init.kind == InitSpec::Kind::kNormal) {
    // Four uniform numbers in [0, 2^16): variance (2^32 - 1) / 12 each.
    const double deviation = std::sqrt(4.0 * (0x1p32 - 1.0) / 12.0);
    return {init.kind, static_cast<float>(init.b / deviation), static_cast<float>(init.a)};
  }
  if (init.kind == InitSpec::Kind::kUniform) {
    return {init.kind, static_cast<float>((init.b - init.a) * 0x1p-24), static_cast<float>(init.a)};
  }
  return {init.kind, 0.0f, static_cast<float>(init.a)};
}

NONGEMM_ALWAYS_INLINE void draw_block(const Draw& draw, std::uint64_t key, std::uint32_t first, float* __restrict out,
                                      std::size_t count) {
  const auto key_low = static_cast<std::uint32_t>(key);
  const auto key_high = static_cast<std::uint32_t>(key >> 32);
  const float scale = draw.scale;
  const float offset = draw.offset;
  const auto size = static_cast<std::uint32_t>(count);
  if (draw.kind == InitSpec::Kind::kConstant) {
    std::fill_n(out, count, offset);
  } else if (draw.kind == InitSpec::Kind::kUniform) {
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t x = hash(first + i, key_low, key_high);
      out[i] = static_cast<float>(static_cast<std::int32_t>(x >> 8)) * scale + offset;
    }
  } else {
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t x = hash(first + i, key_low, key_high);
      std::uint32_t y = x * 0x9e3779b1u;  // a second word out of the first
      y ^= y >> 15;
      const std::uint32_t sum = (x & 0xffffu) + (x >> 16) + (y & 0xffffu) + (y >> 16);
      out[i] = static_cast<float>(static_cast<std::int32_t>(sum) - 131070) * scale + offset;
    }
  }
}

void draw_block_portable(const Draw& draw, std::uint64_t key, std::uint32_t first, float* out, std::size_t count) {
  draw_block(draw, key, first, out, count);
}

NONGEMM_TARGET_AVX2 void draw_block_avx2(const Draw& draw, std::uint64_t key, std::uint32_t first, float* out,
                                         std::size_t count) {
  draw_block(draw, key, first, out, count);
}

/// Elements [begin, begin + count) of a tensor; `out` is where element `begin` belongs.
void draw_range(const Draw& draw, std::uint64_t key, DType dtype, std::uint64_t begin, std::size_t count,
                std::byte* out) {
  const auto draw_floats = runs_avx2() ? draw_block_avx2 : draw_block_portable;
  const std::uint64_t stretch_key = mix64(key + (begin >> 32));  // the index below has 32 bits
  alignas(64) std::array<float, kBlock> block;
  for (std::size_t done = 0; done < count; done += kBlock) {
    const std::size_t size = std::min(kBlock, count - done);
    std::byte* target = out + done * size_of(dtype);
    const bool in_place = dtype == DType::kFloat32;
    float* floats = in_place ? reinterpret_cast<float*>(target) : block.data();
    draw_floats(draw, stretch_key, static_cast<std::uint32_t>(begin + done), floats, size);
    if (!in_place) {
      convert_floating(DType::kFloat32, reinterpret_cast<const std::byte*>(floats), dtype, target, size);
    }
  }
}

void fill_integers(DType dtype, double value, std::byte* out, std::size_t count) {
  const auto fill = [&]<typename T>(T) { std::fill_n(reinterpret_cast<T*>(out), count, static_cast<T>(value)); };
  switch (size_of(dtype)) {
    case 1:
      return dtype == DType::kUInt8 ? fill(std::uint8_t{}) : fill(std::int8_t{});
    case 2:
      return fill(std::int16_t{});
    case 4:
      return fill(std::int32_t{});
    default:
      return fill(std::int64_t{});
  }
}

struct Chunk {
  std::size_t spec;
  std::uint64_t begin;
  std::size_t count;
};

}  // namespace

NamedTensors synthesize_all(const std::vector<WeightSpec>& specs, std::uint64_t seed, int threads) {
  NamedTensors tensors;
  std::vector<std::byte*> memory;
  std::vector<std::uint64_t> keys;
  std::vector<Chunk> chunks;
  for (const WeightSpec& spec : specs) {
    if (!is_floating(spec.dtype) && spec.init.kind != InitSpec::Kind::kConstant) {
      throw Error(ErrorKind::kFailed,
                  fmt::format("weight '{}' is of type {}: random values are drawn for floating-point "
                              "types only",
                              spec.name, name_of(spec.dtype)));
    }
    auto [tensor, bytes] = HostTensor::allocate(spec.dtype, spec.shape);
    const auto elements = static_cast<std::uint64_t>(element_count(spec.shape));
    for (std::uint64_t begin = 0; begin < elements; begin += kChunk) {
      chunks.push_back({tensors.size(), begin, static_cast<std::size_t>(std::min(kChunk, elements - begin))});
    }
    memory.push_back(bytes);
    keys.push_back(key_of(seed, spec.name));
    tensors.emplace_back(spec.name, std::move(tensor));
  }
  parallel_for(chunks.size(), threads, [&](std::size_t i) {
    const Chunk& chunk = chunks[i];
    const WeightSpec& spec = specs[chunk.spec];
    std::byte* out = memory[chunk.spec] + chunk.begin * size_of(spec.dtype);
    if (is_floating(spec.dtype)) {
      draw_range(draw_of(spec.init), keys[chunk.spec], spec.dtype, chunk.begin, chunk.count, out);
    } else {
      fill_integers(spec.dtype, spec.init.a, out, chunk.count);
    }
  });
  return tensors;
}

HostTensor synthesize(const WeightSpec& spec, std::uint64_t seed) { return synthesize_all({spec}, seed)[0].second; }

}  // namespace nongemm::weights
