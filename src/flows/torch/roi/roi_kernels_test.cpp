#include "flows/torch/roi/roi_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace nongemm::torch_flow {
namespace {

/// Box by box as the definition says it, in double.
std::vector<std::int64_t> suppress_slowly(const std::vector<float>& boxes, const std::vector<std::int64_t>& order,
                                          double threshold) {
  std::vector<std::int64_t> kept;
  for (const std::int64_t i : order) {
    const float* a = &boxes[static_cast<std::size_t>(4 * i)];
    const bool overlaps = std::any_of(kept.begin(), kept.end(), [&](std::int64_t j) {
      const float* b = &boxes[static_cast<std::size_t>(4 * j)];
      const float width = std::max(0.0F, std::min(a[2], b[2]) - std::max(a[0], b[0]));
      const float height = std::max(0.0F, std::min(a[3], b[3]) - std::max(a[1], b[1]));
      const float shared = width * height;
      const float both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared;
      return static_cast<double>(shared / both) > threshold;
    });
    if (!overlaps) kept.push_back(i);
  }
  return kept;
}

struct Scene {
  std::vector<float> boxes;
  std::vector<std::int64_t> order;
};

Scene random_scene(std::int64_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> place(0.0F, 200.0F);
  std::uniform_real_distribution<float> side(1.0F, 60.0F);
  Scene scene;
  for (std::int64_t i = 0; i < count; ++i) {
    const float x = place(random);
    const float y = place(random);
    for (const float value : {x, y, x + side(random), y + side(random)}) scene.boxes.push_back(value);
  }
  scene.order.resize(static_cast<std::size_t>(count));
  std::iota(scene.order.begin(), scene.order.end(), 0);
  std::shuffle(scene.order.begin(), scene.order.end(), random);
  return scene;
}

TEST(Suppress, KeepsWhatTheDefinitionKeeps) {
  for (const std::int64_t count : {0, 1, 2, 7, 8, 9, 63, 500, 1000}) {
    for (const double threshold : {0.0, 0.3, 0.5, 0.7, 1.0}) {
      const Scene scene = random_scene(count, static_cast<std::uint32_t>(count) + 17);
      EXPECT_EQ(suppress(scene.boxes.data(), scene.order.data(), count, threshold),
                suppress_slowly(scene.boxes, scene.order, threshold))
          << count << " boxes, threshold " << threshold;
    }
  }
}

TEST(Suppress, InPartsIsTheSame) {
  constexpr std::int64_t kCount = 40000;
  const Scene scene = random_scene(kCount, 5);
  int calls = 0;
  const InParts backwards = [&](std::int64_t begin, std::int64_t end, const auto& body) {
    ++calls;
    const std::int64_t middle = begin + (end - begin) / 3;
    body(middle, end);
    body(begin, middle);
  };
  EXPECT_EQ(suppress(scene.boxes.data(), scene.order.data(), kCount, 0.3, backwards),
            suppress(scene.boxes.data(), scene.order.data(), kCount, 0.3));
  EXPECT_GT(calls, 0);
}

TEST(Suppress, FloatAndDoubleAgreeOnSeparatedBoxes) {
  const Scene scene = random_scene(100, 3);
  const std::vector<double> doubles(scene.boxes.begin(), scene.boxes.end());
  EXPECT_EQ(suppress(doubles.data(), scene.order.data(), 100, 0.5),
            suppress(scene.boxes.data(), scene.order.data(), 100, 0.5));
}

TEST(Suppress, AnOverlapOfExactlyTheThresholdStays) {
  // Intersection 1, union 3.
  const std::vector<float> boxes = {0, 0, 2, 1, 1, 0, 3, 1};
  const std::vector<std::int64_t> order = {0, 1};
  const double third = static_cast<double>(1.0F / 3.0F);
  EXPECT_EQ(suppress(boxes.data(), order.data(), 2, third).size(), 2U);
  EXPECT_EQ(suppress(boxes.data(), order.data(), 2, std::nextafter(third, 0.0)).size(), 1U);
}

TEST(Suppress, EmptyBoxesAndNotANumberAreKept) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> boxes = {5, 5, 5, 5, 5, 5, 5, 5, nan, nan, nan, nan};
  const std::vector<std::int64_t> order = {0, 1, 2};
  EXPECT_EQ(suppress(boxes.data(), order.data(), 3, 0.5).size(), 3U);
}

/// One sampling point of a plane, in double.
double sample(const std::vector<float>& plane, std::int64_t height, std::int64_t width, double y, double x) {
  if (y < -1 || y > static_cast<double>(height) || x < -1 || x > static_cast<double>(width)) return 0;
  y = std::clamp(y, 0.0, static_cast<double>(height - 1));
  x = std::clamp(x, 0.0, static_cast<double>(width - 1));
  const auto top = static_cast<std::int64_t>(y);
  const auto left = static_cast<std::int64_t>(x);
  const std::int64_t bottom = std::min(top + 1, height - 1);
  const std::int64_t right = std::min(left + 1, width - 1);
  const double down = y - static_cast<double>(top);
  const double across = x - static_cast<double>(left);
  const auto at = [&](std::int64_t row, std::int64_t column) {
    return static_cast<double>(plane[static_cast<std::size_t>(row * width + column)]);
  };
  return (1 - down) * ((1 - across) * at(top, left) + across * at(top, right)) +
         down * ((1 - across) * at(bottom, left) + across * at(bottom, right));
}

void expect_align(const RoiAlignShape& shape, const std::vector<float>& box) {
  const auto plane = static_cast<std::size_t>(shape.height * shape.width);
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> image(plane * static_cast<std::size_t>(shape.channels));
  for (float& value : image) value = normal(random);
  const auto bins = static_cast<std::size_t>(shape.pooled_height * shape.pooled_width);
  std::vector<float> out(bins * static_cast<std::size_t>(shape.channels), -1.0F);
  roi_align_one(shape, image.data(), box.data(), out.data());

  const double offset = shape.aligned ? 0.5 : 0.0;
  const double x = box[0] * shape.spatial_scale - offset;
  const double y = box[1] * shape.spatial_scale - offset;
  double width = box[2] * shape.spatial_scale - offset - x;
  double height = box[3] * shape.spatial_scale - offset - y;
  if (!shape.aligned) width = std::max(width, 1.0);
  if (!shape.aligned) height = std::max(height, 1.0);
  const double bin_width = width / static_cast<double>(shape.pooled_width);
  const double bin_height = height / static_cast<double>(shape.pooled_height);
  const auto side = [&](double bin) {
    return shape.sampling_ratio > 0 ? shape.sampling_ratio : static_cast<std::int64_t>(std::ceil(bin));
  };
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    const std::vector<float> channel(image.begin() + static_cast<std::ptrdiff_t>(plane) * c,
                                     image.begin() + static_cast<std::ptrdiff_t>(plane) * (c + 1));
    for (std::int64_t row = 0; row < shape.pooled_height; ++row) {
      for (std::int64_t column = 0; column < shape.pooled_width; ++column) {
        double sum = 0;
        for (std::int64_t i = 0; i < side(bin_height); ++i) {
          for (std::int64_t j = 0; j < side(bin_width); ++j) {
            const double py = y + (static_cast<double>(row) +
                                   (static_cast<double>(i) + 0.5) / static_cast<double>(side(bin_height))) *
                                      bin_height;
            const double px = x + (static_cast<double>(column) +
                                   (static_cast<double>(j) + 0.5) / static_cast<double>(side(bin_width))) *
                                      bin_width;
            sum += sample(channel, shape.height, shape.width, py, px);
          }
        }
        const double mean = sum / static_cast<double>(std::max<std::int64_t>(side(bin_height) * side(bin_width), 1));
        const auto index =
            static_cast<std::size_t>(c) * bins + static_cast<std::size_t>(row * shape.pooled_width + column);
        ASSERT_NEAR(out[index], mean, 2e-4) << c << " " << row << " " << column;
      }
    }
  }
}

TEST(RoiAlign, AveragesInterpolatedSamples) {
  for (const bool aligned : {false, true}) {
    for (const std::int64_t ratio : {-1, 1, 2, 3}) {
      const RoiAlignShape shape{3, 20, 30, 7, 5, 0.25, ratio, aligned};
      expect_align(shape, {10.0F, 8.0F, 90.0F, 60.0F});
      expect_align(shape, {-30.0F, -10.0F, 20.0F, 200.0F});   // partly outside
      expect_align(shape, {41.0F, 33.0F, 42.0F, 34.0F});      // smaller than a cell
      expect_align(shape, {300.0F, 300.0F, 400.0F, 400.0F});  // outside
    }
  }
}

TEST(RoiAlign, BoxesTurnedInsideOutGiveZerosAndHugeOnesAreSampledByParts) {
  const RoiAlignShape shape{3, 20, 30, 7, 5, 0.25, -1, true};
  expect_align(shape, {90.0F, 8.0F, 10.0F, 60.0F});
  expect_align(shape, {90.0F, 60.0F, 10.0F, 8.0F});
  expect_align(shape, {0.0F, 0.0F, 1600.0F, 1600.0F});  // 4640 samples a cell
}

TEST(RoiAlign, WorksOnTheSmallestMap) { expect_align({2, 1, 1, 14, 14, 1.0, 2, false}, {0.0F, 0.0F, 1.0F, 1.0F}); }

}  // namespace
}  // namespace nongemm::torch_flow
