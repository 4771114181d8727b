#include "weights/synthetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/half.h"
#include "base/interrupt.h"
#include "base/parallel.h"
#include "base/simd_dispatch.h"
#include "weights/draw.h"

namespace nongemm::weights {
namespace {

/// What one thread draws at a time; a power of two, so that no chunk crosses a multiple of 2^32 elements.
constexpr std::uint64_t kChunk = std::uint64_t{1} << 20;
/// Floats that are drawn before they are converted: they stay in the first-level cache.
constexpr std::size_t kBlock = 2048;

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
      out[i] = uniform_value(hash_index(first + i, key_low, key_high), scale, offset);
    }
  } else {
    for (std::uint32_t i = 0; i < size; ++i) {
      out[i] = normal_value(hash_index(first + i, key_low, key_high), scale, offset);
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
void draw_range(const Draw& draw, DType dtype, std::uint64_t begin, std::size_t count, std::byte* out) {
  const auto draw_floats = runs_avx2() ? draw_block_avx2 : draw_block_portable;
  const std::uint64_t key = stretch_key(draw.key, begin);
  alignas(64) std::array<float, kBlock> block;
  for (std::size_t done = 0; done < count; done += kBlock) {
    const std::size_t size = std::min(kBlock, count - done);
    std::byte* target = out + done * size_of(dtype);
    const bool in_place = dtype == DType::kFloat32;
    float* floats = in_place ? reinterpret_cast<float*>(target) : block.data();
    draw_floats(draw, key, static_cast<std::uint32_t>(begin + done), floats, size);
    for (std::size_t i = 0; begin + done + i < draw.peaks_until && i < size; ++i) {
      if (is_peak(draw, begin + done + i)) floats[i] = draw.peak;
    }
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
  std::vector<Draw> draws;
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
    draws.push_back(draw_of(spec.init, seed, spec.name));
    tensors.emplace_back(spec.name, std::move(tensor));
  }
  parallel_for(chunks.size(), threads, [&](std::size_t i) {
    stop_if_interrupted();
    const Chunk& chunk = chunks[i];
    const WeightSpec& spec = specs[chunk.spec];
    std::byte* out = memory[chunk.spec] + chunk.begin * size_of(spec.dtype);
    if (is_floating(spec.dtype)) {
      draw_range(draws[chunk.spec], spec.dtype, chunk.begin, chunk.count, out);
    } else {
      fill_integers(spec.dtype, spec.init.a, out, chunk.count);
    }
  });
  return tensors;
}

HostTensor synthesize(const WeightSpec& spec, std::uint64_t seed) { return synthesize_all({spec}, seed)[0].second; }

}  // namespace nongemm::weights
