// Fuzz target: any bytes given as an image are decoded, turned upright and resized, or refused.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "data/image/image.h"
#include "data/image/preprocess.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nongemm::data;
  DecodeOptions options;
  options.apply_orientation = true;
  options.max_pixels = 1 << 18;
  try {
    const Image image = decode_image({reinterpret_cast<const char*>(data), size}, "fuzz", options);
    resize_and_crop(classification_transform(28), image);
  } catch (const nongemm::Error&) {
  }
  return 0;
}
