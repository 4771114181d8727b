#include "data/image/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "data/image/orientation.h"
#include "data/test_data.h"

namespace nongemm::data {
namespace {

using ::testing::HasSubstr;

/// libjpeg versions may differ in the last bit; PNG has to be exact.
int largest_difference(const Image& image, const std::string& expected) {
  EXPECT_EQ(image.byte_size(), expected.size());
  int largest = 0;
  for (std::size_t i = 0; i < std::min(expected.size(), image.byte_size()); ++i) {
    largest = std::max(largest, std::abs(int{image.pixels[i]} - int{static_cast<std::uint8_t>(expected[i])}));
  }
  return largest;
}

void expect_pixels(const std::string& name, const nlohmann::json& size, const std::string& expected, bool upright) {
  DecodeOptions options;
  options.apply_orientation = upright;
  const Image image = load_image(fixture("images/" + name), options);
  EXPECT_EQ(image.width, size[0]) << name;
  EXPECT_EQ(image.height, size[1]) << name;
  EXPECT_LE(largest_difference(image, expected), name.ends_with(".jpg") ? 1 : 0) << name;
}

TEST(Image, AgreesWithPillowForEveryKindOfImage) {
  const auto sizes = nlohmann::json::parse(read_fixture("images/sizes.json"));
  ASSERT_GT(sizes.size(), 30u);
  for (const auto& [name, size] : sizes.items()) {
    expect_pixels(name, size["size"], read_fixture("images/" + name + ".rgb"), false);
    if (size.contains("upright")) {
      expect_pixels(name, size["upright"], read_fixture("images/" + name + ".upright.rgb"), true);
    }
  }
}

std::string message_of(std::string_view bytes, const DecodeOptions& options = {}) {
  try {
    decode_image(bytes, "some/file", options);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "no error";
}

TEST(Image, EveryTruncationIsAnErrorOrTheWholeImage) {
  for (const char* name : {"rgb420.jpg", "progressive.jpg", "cmyk.jpg", "rgb8.png", "palette4_interlaced.png"}) {
    const std::string bytes = read_fixture(std::string("images/") + name);
    const std::string expected = read_fixture(std::string("images/") + name + ".rgb");
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      try {
        const Image image = decode_image(bytes.substr(0, length), "cut");
        EXPECT_LE(largest_difference(image, expected), 1) << name << " cut to " << length;
        EXPECT_GT(length + 32, bytes.size()) << name;  // only the end marker may be missing
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("cut: "));
      }
    }
  }
}

TEST(Image, DamagedBytesNeverCrash) {
  for (const char* name : {"rgb420.jpg", "progressive.jpg", "ycck.jpg", "turned6.jpg", "rgb8.png", "turned6.png"}) {
    const std::string bytes = read_fixture(std::string("images/") + name);
    DecodeOptions options;
    options.apply_orientation = true;
    options.max_pixels = 1 << 20;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      std::string damaged = bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
      try {
        decode_image(damaged, name, options);
      } catch (const Error&) {
      }
    }
  }
}

TEST(Image, NamesWhatAFileIs) {
  EXPECT_THAT(message_of(""), HasSubstr("some/file: not a supported image: the file is empty"));
  EXPECT_THAT(message_of("GIF89a..."), HasSubstr("looks like GIF"));
  EXPECT_THAT(message_of("hello"), HasSubstr("neither JPEG nor PNG"));
  EXPECT_THROW(load_image("/does/not/exist.jpg"), Error);
}

TEST(Image, RefusesDecompressionBombs) {
  // The size stands in the header; nothing behind it is read.
  std::string png = read_fixture("images/rgb8.png");
  DecodeOptions options;
  options.max_pixels = 37 * 23 - 1;
  EXPECT_THAT(message_of(png, options), HasSubstr("37x23 pixels, more than the limit"));
  EXPECT_THAT(message_of(read_fixture("images/rgb420.jpg"), options), HasSubstr("37x23 pixels, more than the limit"));
  options.max_pixels = 37 * 23;
  EXPECT_EQ(message_of(png, options), "no error");
}

TEST(Orientation, ReadsExifAndXmp) {
  const std::string little("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0", 22);
  EXPECT_EQ(orientation_in_exif(little), 6);
  const std::string big("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0", 22);
  EXPECT_EQ(orientation_in_exif(big), 8);
  EXPECT_EQ(orientation_in_exif(little.substr(0, 18)), 0);
  EXPECT_EQ(orientation_in_exif(std::string("II*\0\xFF\xFF\xFF\xFF", 8)), 0);
  EXPECT_EQ(orientation_in_xmp("<x tiff:Orientation=\"3\"/>"), 3);
  EXPECT_EQ(orientation_in_xmp("<tiff:Orientation>5</tiff:Orientation>"), 5);
  EXPECT_EQ(orientation_in_xmp("tiff:Orientation"), 0);
}

}  // namespace
}  // namespace nongemm::data
