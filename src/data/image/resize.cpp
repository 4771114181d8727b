#include "data/image/resize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "data/image/resize_kernels.h"

namespace nongemm::data {
namespace {

double bilinear(double x) { return std::max(0.0, 1.0 - std::fabs(x)); }

/// Keys' cubic with a = -0.5, which both libraries use when they antialias.
double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::fabs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

struct FilterInfo {
  double (*weight)(double);
  double support;
};

// In the order of Filter.
constexpr FilterInfo kFilters[] = {{bilinear, 1}, {bicubic, 2}};

constexpr int kPillowPrecision = 32 - 8 - 2;

/// ATen keeps weights in 16 bits: the most fractional bits with which the largest weight still fits.
int torch_precision(const std::vector<double>& weights) {
  const double largest = *std::max_element(weights.begin(), weights.end());
  int precision = 0;
  while (precision < kPillowPrecision && static_cast<int>(0.5 + largest * (1 << (precision + 1))) < (1 << 15)) {
    ++precision;
  }
  return precision;
}

void check_size(int width, int height) {
  constexpr int kLargestSide = 1 << 16;
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 28;
  if (width < 1 || height < 1 || width > kLargestSide || height > kLargestSide ||
      std::int64_t{width} * height > kMostPixels) {
    throw Error(ErrorKind::kBadInput, fmt::format("an image cannot be resized to {}x{} pixels", width, height));
  }
}

/// One of the two passes: the inputs that it reads, and its weights relative to the first of them.
struct Pass {
  int first = 0;
  int length = 0;
  std::optional<ResampleWeights> weights;  // none: the size stays, pixels are copied
};

/// Only the outputs [first, first + count) stay. The precision does not change: it depends on the whole line.
void keep_outputs(ResampleWeights& weights, int first, int count) {
  const auto keep = [](auto& values, int from, int length) {
    values.erase(values.begin() + from + length, values.end());
    values.erase(values.begin(), values.begin() + from);
  };
  keep(weights.starts, first, count);
  keep(weights.counts, first, count);
  keep(weights.weights, first * weights.taps, count * weights.taps);
}

Pass pass_of(int in_size, int out_size, int first, int count, const ResizeSpec& spec) {
  if (in_size == out_size) return {first, count, std::nullopt};
  ResampleWeights weights = resample_weights(in_size, out_size, spec.filter, spec.arithmetic);
  keep_outputs(weights, first, count);
  const int begin = weights.starts.front();
  const int end = weights.starts.back() + weights.counts.back();
  for (int& start : weights.starts) start -= begin;
  return {begin, end - begin, std::move(weights)};
}

/// Pillow 13, found by comparison: the columns come first where the height shrinks by more than twice as many pixels as
/// the width. Pillow before 13 and ATen always take the rows first.
bool columns_first(const Image& image, const ResizeSpec& spec) {
  return spec.arithmetic == ResizeArithmetic::kPillow &&
         image.height - spec.height > 2 * std::max(image.width - spec.width, 0);
}

Image copy_region(const Image& image, const Region& region) {
  Image copy = Image::allocate(region.width, region.height);
  for (int y = 0; y < region.height; ++y) {
    std::memcpy(copy.row(y), image.row(region.top + y) + std::size_t{3} * static_cast<std::size_t>(region.left),
                std::size_t{3} * static_cast<std::size_t>(region.width));
  }
  return copy;
}

/// The rows [top, top + height), resampled across; `first` is the image's column where the pass begins to read.
Image resample_rows(const Image& image, const Pass& pass, int first, int top, int height) {
  if (!pass.weights) return copy_region(image, {first, top, pass.length, height});
  Image result = Image::allocate(static_cast<int>(pass.weights->starts.size()), height);
  for (int y = 0; y < height; ++y) resample_row(image.row(top + y) + 3 * first, *pass.weights, result.row(y));
  return result;
}

/// The columns [left, left + width), resampled down; `first` is the image's row where the pass begins to read.
Image resample_columns(const Image& image, const Pass& pass, int first, int left, int width) {
  if (!pass.weights) return copy_region(image, {left, first, width, pass.length});
  Image result = Image::allocate(width, static_cast<int>(pass.weights->starts.size()));
  const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
  const std::size_t bytes = static_cast<std::size_t>(width) * 3;
  for (int y = 0; y < result.height; ++y) {
    resample_column(image.row(first) + 3 * left, stride, bytes, *pass.weights, y, result.row(y));
  }
  return result;
}

}  // namespace

std::optional<Filter> filter_from_pil(int code) {
  switch (code) {
    case 2:
      return Filter::kBilinear;
    case 1:
    case 3:
      return Filter::kBicubic;
    default:
      return std::nullopt;
  }
}

ResampleWeights resample_weights(int in_size, int out_size, Filter filter, ResizeArithmetic arithmetic) {
  const FilterInfo& info = kFilters[static_cast<std::size_t>(filter)];
  const double scale = static_cast<double>(in_size) / out_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = info.support * filter_scale;
  const double inverse = 1.0 / filter_scale;

  ResampleWeights result;
  const std::size_t most = static_cast<std::size_t>(std::min(std::ceil(support) * 2 + 1, in_size + 0.0));
  const std::size_t taps = (most + 3) / 4 * 4;
  result.taps = static_cast<int>(taps);
  std::vector<double> weights(taps * static_cast<std::size_t>(out_size), 0.0);
  for (int i = 0; i < out_size; ++i) {
    const double center = (i + 0.5) * scale;
    const int start = std::max(static_cast<int>(center - support + 0.5), 0);
    const int length = std::min(static_cast<int>(center + support + 0.5), in_size) - start;
    double* line = weights.data() + static_cast<std::size_t>(i) * taps;
    double total = 0;
    for (int k = 0; k < length; ++k) total += line[k] = info.weight((k + start - center + 0.5) * inverse);
    for (int k = 0; k < length && total != 0; ++k) line[k] /= total;
    result.starts.push_back(start);
    result.counts.push_back(length);
  }

  result.precision = arithmetic == ResizeArithmetic::kPillow ? kPillowPrecision : torch_precision(weights);
  const double unit = 1 << result.precision;
  result.weights.reserve(weights.size());
  for (double weight : weights) {
    result.weights.push_back(static_cast<std::int32_t>(weight < 0 ? weight * unit - 0.5 : weight * unit + 0.5));
  }
  return result;
}

Image resize(const Image& image, const ResizeSpec& spec) {
  check_size(spec.width, spec.height);
  Region region = spec.region;
  if (region.width == 0 || region.height == 0) region = {0, 0, spec.width, spec.height};
  const Pass across = pass_of(image.width, spec.width, region.left, region.width, spec);
  const Pass down = pass_of(image.height, spec.height, region.top, region.height, spec);
  if (columns_first(image, spec)) {
    const Image between = resample_columns(image, down, down.first, across.first, across.length);
    return resample_rows(between, across, 0, 0, region.height);
  }
  const Image between = resample_rows(image, across, across.first, down.first, down.length);
  return resample_columns(between, down, 0, 0, region.width);
}

}  // namespace nongemm::data
