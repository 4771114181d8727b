// Inputs without any data: deterministic values for a seed, the same on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/tensor.h"

namespace nongemm::data {

enum class SyntheticKind : std::uint8_t {
  kTokenIds,       // integers in [0, limit)
  kNormalPixels,   // standard normal: images after mean and std
  kUniformPixels,  // [0, 1): images for models that normalise themselves
  kOnes,           // masks without padding
  kZeros,          // token types
};

struct SyntheticInput {
  std::string name;
  DType dtype = DType::kFloat32;
  Shape shape;
  SyntheticKind kind = SyntheticKind::kNormalPixels;
  std::int64_t limit = 0;  // vocabulary size for kTokenIds
};

/// One tensor for each entry, in order. Values depend on the seed and the name, not on the other inputs.
/// Throws Error(kUsage) for a shape with unknown dimensions, a vocabulary below 1, or a dtype that cannot hold the
/// kind.
NamedTensors make_synthetic_inputs(std::span<const SyntheticInput> inputs, std::uint64_t seed);

}  // namespace nongemm::data
