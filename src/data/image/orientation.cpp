#include "data/image/orientation.h"

#include <cstring>

namespace nongemm::data {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::uint16_t kTypeShort = 3;

/// Reads numbers of a TIFF block in its byte order; 0 outside the block.
class TiffReader {
 public:
  explicit TiffReader(std::string_view bytes) : bytes_(bytes), big_endian_(bytes.substr(0, 2) == "MM") {}

  std::uint32_t number(std::size_t offset, std::size_t size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < size) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t at = offset + (big_endian_ ? i : size - 1 - i);
      value = value << 8 | static_cast<std::uint8_t>(bytes_[at]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_endian_;
};

/// Where the pixel at (x, y) of the turned image comes from: an affine walk over the source.
struct Walk {
  bool transposed;
  bool flip_x;  // of the source
  bool flip_y;
};

// Index: EXIF orientation.
constexpr Walk kWalks[9] = {{false, false, false}, {false, false, false}, {false, true, false},
                            {false, true, true},   {false, false, true},  {true, false, false},
                            {true, false, true},   {true, true, true},    {true, true, false}};

}  // namespace

int orientation_in_exif(std::string_view tiff) {
  if (tiff.substr(0, 2) != "II" && tiff.substr(0, 2) != "MM") return 0;
  const TiffReader reader(tiff);
  const std::size_t directory = reader.number(4, 4);
  const std::size_t entries = reader.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.size()) return 0;
    if (reader.number(entry, 2) != kOrientationTag) continue;
    const std::size_t size = reader.number(entry + 2, 2) == kTypeShort ? 2 : 4;
    return static_cast<int>(reader.number(entry + 8, size) & 0xFFFF);
  }
  return 0;
}

int orientation_in_xmp(std::string_view xmp) {
  constexpr std::string_view kKey = "tiff:Orientation";
  for (std::size_t at = xmp.find(kKey); at != std::string_view::npos; at = xmp.find(kKey, at + 1)) {
    std::string_view rest = xmp.substr(at + kKey.size());
    if (rest.substr(0, 2) == "=\"") {
      rest.remove_prefix(2);
    } else if (rest.substr(0, 1) == ">") {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return rest[0] - '0';
  }
  return 0;
}

Image oriented(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const Walk walk = kWalks[orientation];
  Image turned =
      walk.transposed ? Image::allocate(image.height, image.width) : Image::allocate(image.width, image.height);
  for (int y = 0; y < turned.height; ++y) {
    std::uint8_t* out = turned.row(y);
    for (int x = 0; x < turned.width; ++x, out += 3) {
      const int u = walk.transposed ? y : x;
      const int v = walk.transposed ? x : y;
      const int source_x = walk.flip_x ? image.width - 1 - u : u;
      const int source_y = walk.flip_y ? image.height - 1 - v : v;
      std::memcpy(out, image.row(source_y) + static_cast<std::size_t>(source_x) * 3, 3);
    }
  }
  return turned;
}

}  // namespace nongemm::data
