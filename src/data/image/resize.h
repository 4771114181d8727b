// Antialiased resizing of 8-bit RGB images, with the integer arithmetic of the libraries that models were made with.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/image/image.h"

namespace nongemm::data {

enum class Filter : std::uint8_t { kBilinear, kBicubic };

/// From PIL's code (PIL.Image.Resampling), as preprocessor_config.json holds it in "resample". Lanczos (1) is bicubic,
/// as in transformers with torchvision 0.26. nullopt for codes without an antialiasing filter here.
std::optional<Filter> filter_from_pil(int code);

/// Both work in two passes and round to 8 bits between them.
enum class ResizeArithmetic : std::uint8_t {
  kPillow,      // Pillow 13: weights with 22 fractional bits
  kTorchUint8,  // ATen's uint8 upsample with antialias=True: 16-bit weights, as many fractional bits as fit
};

struct Region {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

struct ResizeSpec {
  int width = 0;  // of the whole resized image
  int height = 0;
  Filter filter = Filter::kBilinear;
  ResizeArithmetic arithmetic = ResizeArithmetic::kPillow;
  /// Only these pixels of the resized image are computed (a crop that follows); they have the same values as in the
  /// whole one. Must lie inside it. Empty: all.
  Region region = {};
};

/// Bit-identical to Image.resize of Pillow, or to torchvision.transforms.v2 on uint8 tensors on a CPU with AVX2.
/// Throws Error(kBadInput) for empty sizes and sizes that no image may have.
Image resize(const Image& image, const ResizeSpec& spec);

/// For each output position its first input and its weights; weights.size() == starts.size() * taps.
struct ResampleWeights {
  std::vector<int> starts;
  std::vector<int> counts;  // weights in use, at most taps
  std::vector<std::int32_t> weights;
  int taps = 0;       // a multiple of 4, padded with zeros
  int precision = 0;  // fractional bits
};

/// Weights of a whole line of `in_size` resized to `out_size`.
ResampleWeights resample_weights(int in_size, int out_size, Filter filter, ResizeArithmetic arithmetic);

}  // namespace nongemm::data
