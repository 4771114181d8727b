// PNG through libpng.
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/image/image_format.h"
#include "data/image/orientation.h"

namespace nongemm::data {
namespace {

struct Source {
  std::string_view bytes;
  std::size_t position = 0;
  std::string error;
};

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  static_cast<Source*>(png_get_error_ptr(png))->error = message;
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, png_size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (source->bytes.size() - source->position < count) png_error(png, "the file is truncated");
  std::memcpy(out, source->bytes.data() + source->position, count);
  source->position += count;
}

/// Everything that needs a destructor lives here, outside the frames that longjmp leaves.
struct Decoding {
  Source source;
  png_structp png = nullptr;
  png_infop info = nullptr;
  Image image;
  std::vector<std::uint8_t> grey16;  // big-endian samples of a 16-bit greyscale image
  std::vector<png_bytep> rows;

  ~Decoding() { png_destroy_read_struct(&png, &info, nullptr); }
};

/// Where the last whole chunk ends. libpng takes memory for a chunk before it reads it, and lengths may lie.
std::size_t end_of_chunks(std::string_view bytes) {
  constexpr std::size_t kSignature = 8;
  constexpr std::size_t kAroundData = 12;  // length, type, checksum
  std::size_t at = std::min(kSignature, bytes.size());
  while (bytes.size() - at >= kAroundData) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<std::uint8_t>(bytes[at + i]);
    if (length > bytes.size() - at - kAroundData) break;
    at += kAroundData + length;
  }
  return at;
}

bool read_header(Decoding& state) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_set_read_fn(state.png, &state.source, read_bytes);
  png_read_info(state.png, state.info);
  return true;
}

/// Asks libpng for 8-bit RGB, or for the raw samples where the image is 16-bit greyscale.
bool set_transformations(Decoding& state, bool grey16) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_set_interlace_handling(state.png);
  if (!grey16) {
    const int type = png_get_color_type(state.png, state.info);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(state.png);
    if (type == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(state.png);
    png_set_strip_16(state.png);
    png_set_strip_alpha(state.png);
    if ((type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(state.png);
  }
  png_read_update_info(state.png, state.info);
  return true;
}

bool read_rows(Decoding& state) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_read_image(state.png, state.rows.data());
  return true;
}

/// The chunk may follow the pixels, so this reads to the end of the file.
bool read_orientation(Decoding& state, int& orientation) {
  if (setjmp(png_jmpbuf(state.png)) != 0) return false;
  png_read_end(state.png, state.info);
  png_uint_32 length = 0;
  png_bytep exif = nullptr;
  if (png_get_eXIf_1(state.png, state.info, &length, &exif) != 0) {
    orientation = orientation_in_exif({reinterpret_cast<const char*>(exif), length});
  }
  if (orientation != 0) return true;
  png_textp texts = nullptr;
  const int count = png_get_text(state.png, state.info, &texts, nullptr);
  for (int i = 0; i < count; ++i) {
    if (std::strcmp(texts[i].key, "XML:com.adobe.xmp") == 0) orientation = orientation_in_xmp(texts[i].text);
  }
  return true;
}

/// PIL's I;16 to RGB: values above 255 are clipped.
void clip_grey16(const std::vector<std::uint8_t>& samples, Image& image) {
  const std::size_t pixels = samples.size() / 2;
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t value = samples[2 * i] != 0 ? 255 : samples[2 * i + 1];
    std::memset(image.pixels.get() + 3 * i, value, 3);
  }
}

Image decode(std::string_view bytes, std::string_view name, const DecodeOptions& options, int& orientation) {
  Decoding state;
  state.source.bytes = bytes.substr(0, end_of_chunks(bytes));
  const auto fail = [&]() -> void {
    throw Error(ErrorKind::kBadInput, fmt::format("{}: damaged PNG: {}", name, state.source.error));
  };
  state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state.source, on_error, on_warning);
  if (state.png != nullptr) state.info = png_create_info_struct(state.png);
  if (state.info == nullptr) throw Error(ErrorKind::kOutOfMemory, fmt::format("{}: no memory for libpng", name));
  if (!read_header(state)) fail();

  const std::size_t width = png_get_image_width(state.png, state.info);
  const std::size_t height = png_get_image_height(state.png, state.info);
  check_pixel_count(static_cast<std::int64_t>(width), static_cast<std::int64_t>(height), name, options);
  const bool grey16 = png_get_color_type(state.png, state.info) == PNG_COLOR_TYPE_GRAY &&
                      png_get_bit_depth(state.png, state.info) == 16;
  if (!set_transformations(state, grey16)) fail();
  const std::size_t row_bytes = width * (grey16 ? 2 : 3);
  if (png_get_rowbytes(state.png, state.info) != row_bytes) {
    state.source.error = "unexpected pixel layout";
    fail();
  }

  state.image = Image::allocate(static_cast<int>(width), static_cast<int>(height));
  if (grey16) state.grey16.resize(row_bytes * height);
  std::uint8_t* first = grey16 ? state.grey16.data() : state.image.pixels.get();
  for (std::size_t y = 0; y < height; ++y) state.rows.push_back(first + y * row_bytes);
  if (!read_rows(state)) fail();
  if (options.apply_orientation && !read_orientation(state, orientation)) fail();
  if (grey16) clip_grey16(state.grey16, state.image);
  return std::move(state.image);
}

bool recognises(std::string_view bytes) { return bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n"; }

}  // namespace

const ImageFormat kPng = {"PNG", recognises, decode};

}  // namespace nongemm::data
