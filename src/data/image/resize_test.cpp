#include "data/image/resize.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/error.h"
#include "data/image/resize_kernels.h"
#include "data/test_data.h"

namespace nongemm::data {
namespace {

Image random_image(int width, int height) {
  Image image = Image::allocate(width, height);
  std::minstd_rand random(static_cast<unsigned>(width * 1000 + height));
  for (std::size_t i = 0; i < image.byte_size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(random() >> 8);
  return image;
}

bool same(const Image& a, const Image& b) {
  return a.width == b.width && a.height == b.height && std::memcmp(a.pixels.get(), b.pixels.get(), a.byte_size()) == 0;
}

ResizeSpec spec_of(int width, int height, Filter filter, ResizeArithmetic arithmetic) {
  ResizeSpec spec;
  spec.width = width;
  spec.height = height;
  spec.filter = filter;
  spec.arithmetic = arithmetic;
  return spec;
}

struct Expected {
  const char* name;
  ResizeSpec spec;
};

/// tests/reference/data_images.py made these from rgb8.png (37x23).
TEST(Resize, IsBitIdenticalToPillowAndTorch) {
  const Image image = load_image(fixture("images/rgb8.png"));
  const Expected all[] = {
      {"pillow2_19x41", spec_of(19, 41, Filter::kBilinear, ResizeArithmetic::kPillow)},
      {"pillow3_19x41", spec_of(19, 41, Filter::kBicubic, ResizeArithmetic::kPillow)},
      {"pillow3_50x9", spec_of(50, 9, Filter::kBicubic, ResizeArithmetic::kPillow)},
      {"torch2_19x41", spec_of(19, 41, Filter::kBilinear, ResizeArithmetic::kTorchUint8)},
      {"torch3_19x41", spec_of(19, 41, Filter::kBicubic, ResizeArithmetic::kTorchUint8)},
      {"torch2_50x9", spec_of(50, 9, Filter::kBilinear, ResizeArithmetic::kTorchUint8)},
  };
  for (const Expected& expected : all) {
    const Image resized = resize(image, expected.spec);
    const std::string bytes = read_fixture(std::string("resized/") + expected.name + ".rgb");
    ASSERT_EQ(bytes.size(), resized.byte_size());
    EXPECT_EQ(std::memcmp(bytes.data(), resized.pixels.get(), bytes.size()), 0) << expected.name;
  }
}

TEST(Resize, ARegionHasThePixelsOfTheWhole) {
  const Image image = random_image(61, 47);
  for (const auto& [width, height] :
       {std::pair{40, 90}, std::pair{61, 20}, std::pair{33, 47}, std::pair{61, 47}, std::pair{60, 21}}) {
    for (auto arithmetic : {ResizeArithmetic::kPillow, ResizeArithmetic::kTorchUint8}) {
      ResizeSpec spec = spec_of(width, height, Filter::kBicubic, arithmetic);
      const Image whole = resize(image, spec);
      spec.region = {5, 3, 20, 16};
      const Image part = resize(image, spec);
      ASSERT_EQ(part.width, 20);
      ASSERT_EQ(part.height, 16);
      for (int y = 0; y < 16; ++y) EXPECT_EQ(std::memcmp(part.row(y), whole.row(y + 3) + 15, 60), 0);
    }
  }
}

TEST(Resize, VectorKernelsAgreeWithThePlainOnes) {
  for (int size : {1, 2, 3, 5, 6, 16, 31, 100, 333}) {
    const Image image = random_image(size, 40);
    for (int to : {1, 2, 5, 11, 48, 200}) {
      for (auto arithmetic : {ResizeArithmetic::kPillow, ResizeArithmetic::kTorchUint8}) {
        const ResampleWeights across = resample_weights(size, to, Filter::kBicubic, arithmetic);
        Image fast = Image::allocate(to, 1), plain = Image::allocate(to, 1);
        resample_row(image.row(39), across, fast.row(0));
        resample_row_plain(image.row(39), across, plain.row(0));
        EXPECT_TRUE(same(fast, plain)) << size << " to " << to;

        const ResampleWeights down = resample_weights(40, to, Filter::kBicubic, arithmetic);
        Image fast_row = Image::allocate(size, 1), plain_row = Image::allocate(size, 1);
        const std::size_t bytes = static_cast<std::size_t>(size) * 3;
        resample_column(image.row(0), bytes, bytes, down, to - 1, fast_row.row(0));
        resample_column_plain(image.row(0), bytes, bytes, down, to - 1, plain_row.row(0));
        EXPECT_TRUE(same(fast_row, plain_row)) << size << " to " << to;
      }
    }
  }
}

TEST(Resize, RefusesImpossibleSizes) {
  const Image image = random_image(4, 4);
  for (const auto& [width, height] :
       {std::pair{0, 5}, std::pair{5, -1}, std::pair{1 << 20, 1}, std::pair{60000, 60000}}) {
    EXPECT_THROW(resize(image, spec_of(width, height, Filter::kBilinear, ResizeArithmetic::kPillow)), Error);
  }
}

}  // namespace
}  // namespace nongemm::data
