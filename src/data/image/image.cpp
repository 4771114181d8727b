#include "data/image/image.h"

#include <fmt/format.h>

#include <new>

#include "base/error.h"
#include "base/file.h"
#include "data/image/image_format.h"
#include "data/image/orientation.h"

namespace nongemm::data {
namespace {

constexpr const ImageFormat* kFormats[] = {&kJpeg, &kPng};
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 30;

/// Formats that people try, so that the message can name what the file is.
struct Known {
  std::string_view magic;
  std::string_view name;
};
constexpr Known kKnownOthers[] = {{"GIF8", "GIF"}, {"RIFF", "WebP"}, {"BM", "BMP"}, {"II*", "TIFF"}, {"MM", "TIFF"}};

std::string describe_unknown(std::string_view bytes) {
  if (bytes.empty()) return "the file is empty";
  for (const Known& known : kKnownOthers) {
    if (bytes.substr(0, known.magic.size()) == known.magic) return fmt::format("looks like {}", known.name);
  }
  return "neither JPEG nor PNG";
}

}  // namespace

Image Image::allocate(int width, int height) {
  Image image{width, height, nullptr};
  image.pixels.reset(new (std::nothrow) std::uint8_t[image.byte_size() + kSlack]);
  if (image.pixels == nullptr) {
    throw Error(ErrorKind::kOutOfMemory, fmt::format("no memory for an image of {}x{} pixels", width, height));
  }
  return image;
}

void check_pixel_count(std::int64_t width, std::int64_t height, std::string_view name, const DecodeOptions& options) {
  if (width <= 0 || height <= 0) {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: image of {}x{} pixels", name, width, height));
  }
  if (width > options.max_pixels / height) {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: {}x{} pixels, more than the limit of {} (a decompression bomb?)",
                                                  name, width, height, options.max_pixels));
  }
}

Image decode_image(std::string_view bytes, std::string_view name, const DecodeOptions& options) {
  for (const ImageFormat* format : kFormats) {
    if (!format->recognises(bytes)) continue;
    int orientation = 1;
    Image image = format->decode(bytes, name, options, orientation);
    return options.apply_orientation ? oriented(std::move(image), orientation) : std::move(image);
  }
  throw Error(ErrorKind::kBadInput, fmt::format("{}: not a supported image: {}", name, describe_unknown(bytes)),
              "Convert it to JPEG or PNG.");
}

Image load_image(const std::filesystem::path& path, const DecodeOptions& options) {
  return decode_image(read_file(path, kMaxFileBytes), path.string(), options);
}

}  // namespace nongemm::data
