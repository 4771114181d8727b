#include "models/detection/box_ops.h"

#include <cmath>
#include <limits>

#include "models/parts/functional.h"

namespace nongemm {

using namespace fn;

namespace {

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

/// A zero-dimensional tensor that the original makes with torch.tensor().
Tensor scalar(Builder& b, DType dtype, double value) {
  if (dtype == DType::kInt64) {
    return b.constant(HostTensor::from<std::int64_t>(dtype, {}, {static_cast<std::int64_t>(value)}));
  }
  if (dtype == DType::kBool) return b.constant(HostTensor::from<std::uint8_t>(dtype, {}, {value != 0.0}));
  const Tensor exact = b.constant(HostTensor::from<float>(DType::kFloat32, {}, {static_cast<float>(value)}));
  return dtype == DType::kFloat32 ? exact : to(exact, dtype);
}

Tensor column(const Tensor& boxes, std::int64_t i) { return select(boxes, 1, i); }

/// Widths (2, 0) or heights (3, 1).
Tensor extent(const Tensor& boxes, std::int64_t far, std::int64_t near) {
  const Tensor end = column(boxes, far);
  return sub(end, column(boxes, near));
}

}  // namespace

Tensor index(const Tensor& x, const std::vector<Tensor>& indices) {
  return x.builder().call("aten.index.Tensor", {x, indices});
}

Tensor where_true(const Tensor& condition) {
  return condition.builder().call_all("aten.where.default", {condition}).at(0);
}

Int rows_of(const Tensor& x) {
  if (x.size(0) != kDynamic) return x.size(0);
  return Int::of(x.builder().call("aten.sym_size.int", {x, 0}).id());
}

Tensor decode_boxes(const Tensor& codes, const Tensor& reference, const std::array<double, 4>& weights) {
  Builder& b = codes.builder();
  const Tensor boxes = to(reference, codes.dtype());
  const Tensor widths = extent(boxes, 2, 0);
  const Tensor heights = extent(boxes, 3, 1);
  const auto center = [&](std::int64_t i, const Tensor& side) {
    const Tensor corner = column(boxes, i);
    return add(corner, mul(side, 0.5));
  };
  const Tensor center_x = center(0, widths);
  const Tensor center_y = center(1, heights);
  std::array<Tensor, 4> deltas;
  for (std::int64_t i = 0; i < 4; ++i) {
    deltas[static_cast<std::size_t>(i)] = div(slice(codes, 1, i, kEnd, 4), weights[static_cast<std::size_t>(i)]);
  }
  const auto [dx, dy, dw, dh] = deltas;
  const double most = std::log(1000.0 / 16.0);  // keeps exp() in range
  const Tensor log_width = b.call("aten.clamp.default", {dw, kNone, most});
  const Tensor log_height = b.call("aten.clamp.default", {dh, kNone, most});
  const auto exp = [&](const Tensor& x) { return b.call("aten.exp.default", {x}); };
  const auto moved = [&](const Tensor& delta, const Tensor& side, const Tensor& middle) {
    const Tensor shift = mul(delta, unsqueeze(side, 1));
    return add(shift, unsqueeze(middle, 1));
  };
  const auto sized = [&](const Tensor& log_side, const Tensor& side) {
    const Tensor factor = exp(log_side);
    return mul(factor, unsqueeze(side, 1));
  };
  const Tensor x = moved(dx, widths, center_x);
  const Tensor y = moved(dy, heights, center_y);
  const Tensor width = sized(log_width, widths);
  const Tensor height = sized(log_height, heights);
  const Tensor half_height = mul(scalar(b, codes.dtype(), 0.5), height);
  const Tensor half_width = mul(scalar(b, codes.dtype(), 0.5), width);
  const Tensor left = sub(x, half_width);
  const Tensor top = sub(y, half_height);
  const Tensor right = add(x, half_width);
  const Tensor bottom = add(y, half_height);
  const Tensor decoded = flatten(b.call("aten.stack.default", {std::vector<Tensor>{left, top, right, bottom}, 2}), 1);
  return reshape(decoded, {-1, codes.size(1) / 4, 4});
}

Tensor clip_boxes(const Tensor& boxes, std::pair<std::int64_t, std::int64_t> image) {
  Builder& b = boxes.builder();
  const std::int64_t last = boxes.rank() - 1;
  const Tensor x = slice(boxes, last, 0, kEnd, 2);
  const Tensor y = slice(boxes, last, 1, kEnd, 2);
  const Tensor inside_x = b.call("aten.clamp.default", {x, 0, image.second});
  const Tensor inside_y = b.call("aten.clamp.default", {y, 0, image.first});
  const Tensor both = b.call("aten.stack.default", {std::vector<Tensor>{inside_x, inside_y}, boxes.rank()});
  return reshape(both, boxes.shape());  // a dynamic first dimension reads as -1
}

Tensor large_boxes(const Tensor& boxes, double side) {
  Builder& b = boxes.builder();
  const Tensor widths = extent(boxes, 2, 0);
  const Tensor heights = extent(boxes, 3, 1);
  const Tensor wide = b.call("aten.ge.Scalar", {widths, side});
  const Tensor high = b.call("aten.ge.Scalar", {heights, side});
  return where_true(b.call("aten.__and__.Tensor", {wide, high}));
}

namespace {

Tensor nms(const Tensor& boxes, const Tensor& scores, double threshold) {
  return boxes.builder().call("torchvision.nms.default", {boxes, scores, threshold});
}

Tensor to_like(const Tensor& x, const Tensor& other) {
  return x.builder().call("aten.to.device", {x, kNone, other.dtype()});
}

/// Moves the boxes of each category to a place of their own, so that none overlaps another category's.
Tensor nms_by_coordinates(const Tensor& boxes, const Tensor& scores, const Tensor& categories, double threshold) {
  Builder& b = boxes.builder();
  const Tensor farthest = b.call("aten.max.default", {boxes});
  const Tensor numbers = to_like(categories, boxes);
  const Tensor step = add(farthest, to_like(scalar(b, DType::kInt64, 1), boxes));
  const Tensor offsets = mul(numbers, step);
  return nms(add(boxes, unsqueeze(offsets, 1)), scores, threshold);
}

Tensor nms_by_category(const Tensor& boxes, const Tensor& scores, const Tensor& categories, double threshold,
                       std::int64_t likely_categories) {
  Builder& b = boxes.builder();
  const Tensor keep = b.call("aten.zeros_like.default", {scores}, {{"dtype", DType::kBool}});
  const Tensor distinct = b.call_all("aten._unique2.default", {categories, true, false, false}).at(0);
  const Tensor each = b.call("aten.unbind.int", {distinct, 0});
  const Tensor yes = scalar(b, DType::kBool, 1);
  b.foreach ({each}, likely_categories, [&](const std::vector<Tensor>& element) -> std::vector<Tensor> {
    const Tensor members = where_true(b.call("aten.eq.Tensor", {categories, element[0]}));
    const Tensor member_boxes = index(boxes, {members});
    const Tensor kept = nms(member_boxes, index(scores, {members}), threshold);
    b.call("aten.index_put_.default", {keep, std::vector<Tensor>{index(members, {kept})}, yes});
    return {};
  });
  const Tensor kept = where_true(keep);
  const Tensor order = b.call_all("aten.sort.default", {index(scores, {kept}), -1, true}).at(1);
  return index(kept, {order});
}

}  // namespace

Tensor batched_nms(const Tensor& boxes, const Tensor& scores, const Tensor& categories, double threshold,
                   const LikelyBoxes& likely, DeviceKind device) {
  Builder& b = boxes.builder();
  const std::int64_t many = device == DeviceKind::kCuda ? 100'000 : 4'000;  // numbers, not boxes
  const Tensor count = b.call("nongemm.numel.default", {boxes});
  const auto at_once = [&]() -> std::vector<Tensor> {
    const Tensor any = b.call("nongemm.int_greater.default", {count, 0});
    return b.branch(
        any, 1.0, [&] { return std::vector{nms_by_coordinates(boxes, scores, categories, threshold)}; },
        [&] {
          return std::vector{b.call("aten.empty.memory_format", {Shape{0}}, {{"dtype", DType::kInt64}})};
        });
  };
  if (likely.at_most * 4 <= many) return at_once()[0];
  const Tensor large = b.call("nongemm.int_greater.default", {count, many});
  return b.branch(
      large, likely.boxes * 4 > many ? 1.0 : 0.0,
      [&] { return std::vector{nms_by_category(boxes, scores, categories, threshold, likely.categories)}; },
      at_once)[0];
}

Tensor resize_boxes(const Tensor& boxes, std::pair<std::int64_t, std::int64_t> from,
                    std::pair<std::int64_t, std::int64_t> to) {
  Builder& b = boxes.builder();
  const auto ratio = [&](std::int64_t target, std::int64_t source) {
    const Tensor size = scalar(b, DType::kFloat32, static_cast<double>(target));
    return div(size, scalar(b, DType::kFloat32, static_cast<double>(source)));
  };
  const Tensor height = ratio(to.first, from.first);
  const Tensor width = ratio(to.second, from.second);
  const std::vector<Tensor> sides = b.call_all("aten.unbind.int", {boxes, 1});
  const Tensor left = mul(sides[0], width);
  const Tensor right = mul(sides[2], width);
  const Tensor top = mul(sides[1], height);
  const Tensor bottom = mul(sides[3], height);
  return b.call("aten.stack.default", {std::vector<Tensor>{left, top, right, bottom}, 1});
}

namespace {

/// box_area; half precision is not enough for areas.
Tensor box_area(const Tensor& given) {
  const bool half = given.dtype() == DType::kFloat16 || given.dtype() == DType::kBFloat16;
  const Tensor boxes = half ? to(given, DType::kFloat32) : given;
  const Tensor width = extent(boxes, 2, 0);
  return mul(width, extent(boxes, 3, 1));
}

/// [n, 5]: the number of the image, then the box.
Tensor regions_of(const std::vector<Tensor>& boxes) {
  Builder& b = boxes.front().builder();
  const Tensor all = cat(boxes, 0);
  std::vector<Tensor> numbers;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    numbers.push_back(b.call("aten.full_like.default", {slice(boxes[i], 1, 0, 1), static_cast<std::int64_t>(i)},
                             {{"dtype", all.dtype()}}));
  }
  return cat({cat(numbers, 0), all}, 1);
}

}  // namespace

Tensor pool_regions(Builder& b, const std::vector<Tensor>& levels, const std::vector<Tensor>& boxes,
                    const std::vector<std::pair<std::int64_t, std::int64_t>>& images, std::int64_t size) {
  // Equation 1 of the FPN paper: a region of 224 x 224 pixels belongs to level 4.
  constexpr std::int64_t kCanonicalSize = 224;
  constexpr std::int64_t kCanonicalLevel = 4;
  std::int64_t height = 0;
  for (const auto& image : images) height = std::max(height, image.first);
  std::vector<double> scales;
  for (const Tensor& level : levels) {
    const auto approximate = static_cast<float>(static_cast<double>(level.size(2)) / static_cast<double>(height));
    scales.push_back(std::exp2(std::nearbyint(std::log2(approximate))));
  }
  const auto first_level = static_cast<std::int64_t>(-std::log2(scales.front()));
  const auto last_level = static_cast<std::int64_t>(-std::log2(scales.back()));

  const Tensor regions = regions_of(boxes);
  std::vector<Tensor> areas;
  for (const Tensor& image_boxes : boxes) areas.push_back(box_area(image_boxes));
  const Tensor sides = b.call("aten.sqrt.default", {cat(areas, 0)});
  Tensor target = add(b.call("aten.log2.default", {div(sides, kCanonicalSize)}), kCanonicalLevel);
  target = b.call("aten.floor.default", {add(target, scalar(b, sides.dtype(), 1e-6))});
  target = to(b.call("aten.clamp.default", {target, first_level, last_level}), DType::kInt64);
  target = to(sub(target, first_level), DType::kInt64);

  const Tensor pooled =
      b.call("aten.zeros.default", {std::vector<Int>{rows_of(regions), levels[0].size(1), size, size}},
             {{"dtype", levels[0].dtype()}});
  for (std::size_t level = 0; level < levels.size(); ++level) {
    const Tensor members = where_true(b.call("aten.eq.Scalar", {target, static_cast<std::int64_t>(level)}));
    const Tensor cut = b.call("torchvision.roi_align.default",
                              {levels[level], index(regions, {members}), scales[level], size, size, 2, false});
    b.call("aten.index_put_.default", {pooled, std::vector<Tensor>{members}, to(cut, pooled.dtype())});
  }
  return pooled;
}

}  // namespace nongemm
