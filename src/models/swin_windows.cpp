#include "models/swin_windows.h"

#include "base/half.h"
#include "models/functional.h"

namespace nongemm::swin {

HostTensor relative_position_index(Size2 window) {
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
  return HostTensor::from(DType::kInt64, {tokens * tokens}, index);
}

void number_regions(const Tensor& map, std::int64_t first_dim, Size2 window, Size2 shift) {
  struct Range {
    std::int64_t start, end;
  };
  const auto ranges = [&](std::size_t side) {
    return std::array{Range{0, -window[side]}, Range{-window[side], -shift[side]}, Range{-shift[side], fn::kToEnd}};
  };
  Builder& builder = map.builder();
  float number = 0;
  for (const Range rows : ranges(0)) {
    for (const Range columns : ranges(1)) {
      auto [value, bytes] = HostTensor::allocate(map.dtype(), {});
      convert_floating(DType::kFloat32, reinterpret_cast<const std::byte*>(&number), map.dtype(), bytes, 1);
      const Tensor band = fn::index_slice(map, first_dim, rows.start, rows.end);
      const Tensor region = fn::index_slice(band, first_dim + 1, columns.start, columns.end);
      builder.call("aten.fill_.Tensor", {region, builder.constant(std::move(value))});
      number += 1;
    }
  }
}

}  // namespace nongemm::swin
