#include "data/image/preprocess.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace nongemm::data {
namespace {

/// Larger than any size that resize accepts, small enough for int.
constexpr double kTooLarge = 1 << 29;

/// Python's int(a * b / c): the product is exact, the division rounds to double, the result is truncated.
int scaled(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<int>(std::min(static_cast<double>(a * b) / static_cast<double>(c), kTooLarge));
}

Size with_shortest(Size original, int shortest) {
  if (original.width <= original.height) return {scaled(shortest, original.height, original.width), shortest};
  return {shortest, scaled(shortest, original.width, original.height)};
}

/// transformers.image_transforms.get_size_with_aspect_ratio.
Size with_shortest_and_longest(Size original, int shortest, int longest) {
  const double smaller = std::min(original.height, original.width);
  const double larger = std::max(original.height, original.width);
  std::optional<double> exact_shortest;
  if (larger / smaller * shortest > longest) {
    exact_shortest = longest * smaller / larger;
    shortest = static_cast<int>(std::nearbyint(*exact_shortest));  // half to even, as Python rounds
  }
  const auto follow = [&](int long_side, int short_side) {
    if (!exact_shortest) return scaled(shortest, long_side, short_side);
    return static_cast<int>(*exact_shortest * long_side / short_side);
  };
  if ((original.height <= original.width && original.height == shortest) ||
      (original.width <= original.height && original.width == shortest)) {
    return original;
  }
  if (original.width < original.height) return {follow(original.height, original.width), shortest};
  return {shortest, follow(original.width, original.height)};
}

Size within(Size original, Size limit) {
  const double scale =
      std::min(static_cast<double>(limit.height) / original.height, static_cast<double>(limit.width) / original.width);
  return {static_cast<int>(std::min(original.height * scale, kTooLarge)),
          static_cast<int>(std::min(original.width * scale, kTooLarge))};
}

int round_up(int value, int divisor) { return (value + divisor - 1) / divisor * divisor; }

/// Margin before a centred crop.
int crop_offset(int size, int crop, bool rounds_to_even) {
  const double half = (size - crop) / 2.0;
  return static_cast<int>(rounds_to_even ? std::nearbyint(half) : half);
}

/// A centred crop along one axis. Where the image is smaller, it is surrounded by zeros first.
struct CropAxis {
  int from = 0;    // first pixel taken
  int length = 0;  // pixels taken
  int to = 0;      // where they go
};

CropAxis crop_axis(int size, int crop, bool rounds_to_even) {
  if (crop >= size) return {0, size, (crop - size) / 2};
  return {crop_offset(size, crop, rounds_to_even), crop, 0};
}

Image placed(const Image& image, Size size, int top, int left) {
  Image result = Image::allocate(size.width, size.height);
  std::memset(result.pixels.get(), 0, result.byte_size());
  for (int y = 0; y < image.height; ++y) {
    std::memcpy(result.row(top + y) + 3 * left, image.row(y), static_cast<std::size_t>(image.width) * 3);
  }
  return result;
}

/// The value of every byte in every channel. Arithmetic in float32, in the originals' order.
using PixelTable = std::array<std::array<float, 256>, 3>;

PixelTable pixel_table(const ImageTransform& transform) {
  PixelTable table;
  const double factor = transform.rescale_factor.value_or(1);
  const bool fuse = transform.fuse_rescale && transform.normalize;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    auto mean = static_cast<float>(transform.mean[channel]);
    auto std = static_cast<float>(transform.std[channel]);
    if (fuse) {
      mean *= static_cast<float>(1.0 / factor);
      std *= static_cast<float>(1.0 / factor);
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
      auto value = static_cast<float>(byte);
      // torchvision divides by 255, transformers multiplies by the factor.
      if (!fuse && transform.rescale_factor) {
        value = transform.fuse_rescale ? value * static_cast<float>(factor) : value / static_cast<float>(1.0 / factor);
      }
      table[channel][byte] = transform.normalize ? (value - mean) / std : value;
    }
  }
  return table;
}

/// Interleaved bytes to three planes of `plane` floats with rows of `stride`.
void write_planes(const Image& image, const PixelTable& table, float* out, std::size_t stride, std::size_t plane) {
  const auto& [red, green, blue] = table;
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* in = image.row(y);
    float* row = out + static_cast<std::size_t>(y) * stride;
    for (std::size_t x = 0; x < static_cast<std::size_t>(image.width); ++x, in += 3) {
      row[x] = red[in[0]];
      row[plane + x] = green[in[1]];
      row[2 * plane + x] = blue[in[2]];
    }
  }
}

HostTensor image_tensor(const ImageTransform& transform, const Image& image) {
  auto [tensor, bytes] = HostTensor::allocate(DType::kFloat32, {3, image.height, image.width});
  const std::size_t width = static_cast<std::size_t>(image.width);
  write_planes(image, pixel_table(transform), reinterpret_cast<float*>(bytes), width,
               width * static_cast<std::size_t>(image.height));
  return tensor;
}

/// The common size of a batch.
Size batch_size(const ImageTransform& transform, std::span<const Image> images) {
  Size size = transform.pad_size.value_or(Size{});
  for (const Image& image : images) {
    const bool fits = image.height <= size.height && image.width <= size.width;
    if (transform.pad_size
            ? !fits
            : !transform.pad_to_largest && &image != &images[0] && !(Size{image.height, image.width} == size)) {
      throw Error(ErrorKind::kBadInput,
                  fmt::format("an image of {}x{} pixels does not fit into a batch of {}x{}", image.width, image.height,
                              size.width, size.height),
                  "Use a batch size of 1, or preprocessing that resizes to one size or pads.");
    }
    if (!transform.pad_size) size = {std::max(size.height, image.height), std::max(size.width, image.width)};
  }
  return size;
}

HostTensor mask_tensor(std::span<const Image> images, Size size) {
  const auto count = static_cast<std::int64_t>(images.size());
  auto [tensor, bytes] = HostTensor::allocate(DType::kInt64, {count, size.height, size.width});
  auto* out = reinterpret_cast<std::int64_t*>(bytes);
  for (const Image& image : images) {
    for (int y = 0; y < size.height; ++y, out += size.width) {
      const int inside = y < image.height ? image.width : 0;
      std::fill_n(out, inside, 1);
      std::fill_n(out + inside, size.width - inside, 0);
    }
  }
  return tensor;
}

HostTensor batch_tensor(const ImageTransform& transform, std::span<const Image> images, Size size) {
  const auto count = static_cast<std::int64_t>(images.size());
  auto [tensor, bytes] = HostTensor::allocate(DType::kFloat32, {count, 3, size.height, size.width});
  const std::size_t stride = static_cast<std::size_t>(size.width);
  const std::size_t plane = stride * static_cast<std::size_t>(size.height);
  const PixelTable table = pixel_table(transform);
  auto* out = reinterpret_cast<float*>(bytes);
  for (const Image& image : images) {
    if (image.height < size.height || image.width < size.width) std::fill_n(out, 3 * plane, 0.0F);
    write_planes(image, table, out, stride, plane);
    out += 3 * plane;
  }
  return tensor;
}

}  // namespace

Size resized_size(const ImageTransform& transform, Size original) {
  Size size = original;
  switch (transform.resize) {
    case ResizeRule::kKeep:
      return original;
    case ResizeRule::kExact:
      size = transform.size;
      break;
    case ResizeRule::kShortestEdge:
      size = with_shortest(original, transform.shortest);
      break;
    case ResizeRule::kShortestToLongest:
      size = with_shortest_and_longest(original, transform.shortest, transform.longest);
      break;
    case ResizeRule::kWithin:
      size = within(original, transform.size);
      break;
  }
  return {round_up(size.height, transform.size_divisor), round_up(size.width, transform.size_divisor)};
}

Image resize_and_crop(const ImageTransform& transform, const Image& image) {
  const Size size = resized_size(transform, {image.height, image.width});
  ResizeSpec spec;
  spec.width = size.width;
  spec.height = size.height;
  spec.filter = transform.filter;
  spec.arithmetic = transform.arithmetic;
  if (!transform.center_crop) return resize(image, spec);

  const Size crop = *transform.center_crop;
  const CropAxis down = crop_axis(size.height, crop.height, transform.crop_rounds_to_even);
  const CropAxis across = crop_axis(size.width, crop.width, transform.crop_rounds_to_even);
  spec.region = {across.from, down.from, across.length, down.length};
  Image cropped = resize(image, spec);
  if (Size{cropped.height, cropped.width} == crop) return cropped;
  return placed(cropped, crop, down.to, across.to);
}

NamedTensors collate(const ImageTransform& transform, std::span<const Image> images) {
  if (images.empty()) throw Error(ErrorKind::kUsage, "a batch of no images");
  NamedTensors inputs;
  if (transform.inputs == ImageInputs::kPositionalImageList) {
    for (std::size_t i = 0; i < images.size(); ++i) {
      inputs.emplace_back(fmt::format("0.{}", i), image_tensor(transform, images[i]));
    }
    return inputs;
  }
  const Size size = batch_size(transform, images);
  const char* name = transform.inputs == ImageInputs::kPositional ? "0" : "pixel_values";
  inputs.emplace_back(name, batch_tensor(transform, images, size));
  if (transform.inputs == ImageInputs::kPixelValuesAndMask)
    inputs.emplace_back("pixel_mask", mask_tensor(images, size));
  return inputs;
}

}  // namespace nongemm::data
