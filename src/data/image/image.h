// Decoding images to what PIL's Image.open(path).convert("RGB") gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace nongemm::data {

/// RGB, 8 bits a channel, interleaved, rows from top to bottom without gaps.
struct Image {
  /// Readable bytes behind the last pixel, so that vector loads may run past the end.
  static constexpr std::size_t kSlack = 64;

  int width = 0;
  int height = 0;
  std::unique_ptr<std::uint8_t[]> pixels;

  /// Uninitialised pixels. Throws Error(kOutOfMemory).
  static Image allocate(int width, int height);
  std::size_t byte_size() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3; }
  std::uint8_t* row(int y) { return pixels.get() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3; }
  const std::uint8_t* row(int y) const { return const_cast<Image*>(this)->row(y); }
};

struct DecodeOptions {
  /// Turn the pixels as the EXIF (or XMP) orientation says, like PIL.ImageOps.exif_transpose. Hugging Face's
  /// load_image does that, torchvision's and PIL's own loaders do not.
  bool apply_orientation = false;
  /// Images with more pixels are refused: twice PIL's MAX_IMAGE_PIXELS, where PIL raises DecompressionBombError.
  std::int64_t max_pixels = 2 * 89478485LL;
};

/// Decodes JPEG (greyscale, YCbCr, RGB, CMYK, YCCK) or PNG (every colour type and depth). `name` appears in errors.
/// Throws Error(kBadInput) for damaged, truncated or oversized images and for bytes that are neither format.
///
/// Conversions follow PIL: alpha is dropped, palettes are looked up, CMYK is taken as inverted (Adobe's convention),
/// 16-bit colour keeps the high byte, and 16-bit greyscale is clipped at 255. JPEG data that libjpeg reports as
/// damaged is refused, also where PIL would show grey or garbled blocks.
Image decode_image(std::string_view bytes, std::string_view name, const DecodeOptions& options = {});

/// Reads and decodes a file. Throws as decode_image and read_file do.
Image load_image(const std::filesystem::path& path, const DecodeOptions& options = {});

}  // namespace nongemm::data
