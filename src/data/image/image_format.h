// Between image.cpp and the decoders: one decoder a file, one line in image.cpp's table.
#pragma once

#include <string_view>

#include "data/image/image.h"

namespace nongemm::data {

struct ImageFormat {
  std::string_view name;
  bool (*recognises)(std::string_view bytes);
  /// Sets `orientation` (1 to 8) only when options.apply_orientation; the caller turns the pixels.
  Image (*decode)(std::string_view bytes, std::string_view name, const DecodeOptions& options, int& orientation);
};

extern const ImageFormat kJpeg;
extern const ImageFormat kPng;

/// Throws Error(kBadInput) for an empty image or one above the limit.
void check_pixel_count(std::int64_t width, std::int64_t height, std::string_view name, const DecodeOptions& options);

}  // namespace nongemm::data
