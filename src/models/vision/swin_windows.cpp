#include "models/vision/swin_windows.h"

#include "base/elements.h"
#include "models/parts/functional.h"

namespace nongemm::swin {

using namespace fn;

Size2 side_lengths(const Config& config, std::string_view key, Size2 otherwise, bool one_will_do) {
  if (!config.has(key)) return otherwise;
  std::vector<std::int64_t> sides = config.integers(key);
  if (one_will_do && sides.size() == 1) sides.push_back(sides[0]);
  if (sides.size() != 2) config.fail(key, "is not a list of two integers: height and width");
  constexpr std::int64_t kLongest = 4096;
  for (const std::int64_t side : sides) {
    if (side < 1 || side > kLongest) config.fail(key, "is " + std::to_string(side) + ", must be 1 to 4096");
  }
  return {sides[0], sides[1]};
}

void check_window(const Config& config, Size2 window) {
  constexpr std::int64_t kMostTokens = 48 * 48;
  if (window[0] * window[1] > kMostTokens) config.fail("window_size", "is too large: more than 2304 tokens");
}

void check_heads(const Config& config, std::int64_t heads, std::int64_t channels) {
  if (heads >= 1 && channels % heads == 0) return;
  config.fail("num_heads", "holds " + std::to_string(heads) + ", which does not divide the " +
                               std::to_string(channels) + " channels of its stage");
}

HostTensor relative_position_index(Size2 window, bool flat) {
  const std::int64_t tokens = window[0] * window[1];
  std::vector<std::int64_t> index;
  index.reserve(static_cast<std::size_t>(tokens * tokens));
  for (std::int64_t i = 0; i < tokens; ++i) {
    for (std::int64_t j = 0; j < tokens; ++j) {
      const std::int64_t rows = i / window[1] - j / window[1] + window[0] - 1;
      const std::int64_t columns = i % window[1] - j % window[1] + window[1] - 1;
      index.push_back(rows * (2 * window[1] - 1) + columns);
    }
  }
  return HostTensor::from(DType::kInt64, flat ? Shape{tokens * tokens} : Shape{tokens, tokens}, index);
}

Tensor position_bias(Builder& b, const Tensor& index, Size2 window, std::int64_t heads) {
  const std::int64_t tokens = window[0] * window[1];
  const Tensor table = b.parameter("relative_position_bias_table", {(2 * window[0] - 1) * (2 * window[1] - 1), heads},
                                   InitSpec::normal(0, 0.02));
  const Tensor bias = view(b.call("aten.index.Tensor", {table, std::vector<Tensor>{index}}), {tokens, tokens, -1});
  return unsqueeze(contiguous(permute(bias, {2, 0, 1})), 0);
}

void number_regions(const Tensor& map, Size2 window, Size2 shift) {
  struct Range {
    std::int64_t start, end;
  };
  const auto ranges = [&](std::size_t side) {
    return std::array{Range{0, -window[side]}, Range{-window[side], -shift[side]}, Range{-shift[side], kToEnd}};
  };
  Builder& b = map.builder();
  double number = 0;
  for (const Range rows : ranges(0)) {
    for (const Range columns : ranges(1)) {
      const Tensor band = index_slice(map, 0, rows.start, rows.end);
      const Tensor region = index_slice(band, 1, columns.start, columns.end);
      b.call("aten.fill_.Tensor", {region, b.host_constant(scalar_tensor(number, map.dtype()))});
      number += 1;
    }
  }
}

Tensor separate_regions(const Tensor& regions) {
  Builder& b = regions.builder();
  const Tensor left = unsqueeze(regions, 1);
  const Tensor difference = sub(left, unsqueeze(regions, 2));
  const Tensor apart = b.call("aten.ne.Scalar", {difference, 0});
  const Tensor masked = b.call("aten.masked_fill.Scalar", {difference, apart, -100.0});
  return b.call("aten.masked_fill.Scalar", {masked, b.call("aten.eq.Scalar", {difference, 0}), 0.0});
}

Tensor add_shift_mask(const Tensor& scores, const Tensor& mask) {
  const std::int64_t windows = mask.size(0);
  const std::int64_t heads = scores.size(1);
  const std::int64_t tokens = scores.size(2);
  const Tensor per_image = view(scores, {scores.size(0) / windows, windows, heads, tokens, tokens});
  return view(add(per_image, unsqueeze(unsqueeze(mask, 1), 0)), {-1, heads, tokens, tokens});
}

Tensor join_neighbours(const Tensor& x) {
  std::vector<Tensor> neighbours;
  for (const std::int64_t column : {0, 1}) {
    for (const std::int64_t row : {0, 1}) {
      neighbours.push_back(slice(slice(x, 1, row, kToEnd, 2), 2, column, kToEnd, 2));
    }
  }
  return cat(neighbours, -1);
}

}  // namespace nongemm::swin
