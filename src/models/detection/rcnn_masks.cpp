// Mask pasting: torchvision's paste_masks_in_image, which runs a Python loop over the detections.
#include "models/detection/box_ops.h"
#include "models/detection/rcnn.h"
#include "models/parts/functional.h"

namespace nongemm {

using namespace fn;

namespace {

/// expand_boxes: as many pixels around the boxes as the masks were padded by, whole pixels.
Tensor expand_boxes(const Tensor& boxes, double scale) {
  Builder& b = boxes.builder();
  const auto column = [&](std::int64_t i) { return select(boxes, 1, i); };
  const auto half = [&](std::int64_t far, std::int64_t near, bool extent) {
    const Tensor end = column(far);
    const Tensor start = column(near);
    return mul(extent ? sub(end, start) : add(end, start), 0.5);
  };
  Tensor half_width = half(2, 0, true);
  Tensor half_height = half(3, 1, true);
  const Tensor center_x = half(2, 0, false);
  const Tensor center_y = half(3, 1, false);
  half_width = b.call("aten.mul_.Tensor", {half_width, scale});
  half_height = b.call("aten.mul_.Tensor", {half_height, scale});
  const Tensor expanded = b.call("aten.zeros_like.default", {boxes});
  const auto assign = [&](std::int64_t i, const Tensor& values) {
    b.call("aten.copy_.default", {select(expanded, 1, i), values});
  };
  assign(0, sub(center_x, half_width));
  assign(2, add(center_x, half_width));
  assign(1, sub(center_y, half_height));
  assign(3, add(center_y, half_height));
  return to(expanded, DType::kInt64);
}

Tensor item(const Tensor& value) { return value.builder().call("aten.item.default", {value}); }

// How often a box reaches over one edge of the image, and how often the mask and the image are then cut: what the
// reference stream of a random model shows. Only streams that are printed without a run depend on it.
constexpr double kClipped = 0.2;
constexpr double kMaskCut = 0.3;
constexpr double kImageCut = 0.9;

/// Where the box starts and ends in the image along one side: max(box[near], 0), min(box[far] + 1, size). Python's
/// max() and min() give the tensor or the number, and only a tensor must be read later to slice by it.
struct Span {
  Tensor start, end;                  // box[near] and box[far] + 1, before clipping
  Tensor start_clipped, end_clipped;  // host truth values
  std::int64_t near = 0;              // the box's column that is the mask's origin
  std::int64_t size = 0;              // of the image
};

Span clip(const Tensor& box, std::int64_t near, std::int64_t far, std::int64_t size) {
  Builder& b = box.builder();
  Span span;
  span.near = near;
  span.size = size;
  span.start = select(box, 0, near);
  span.start_clipped = b.call("aten.is_nonzero.default", {b.call("aten.lt.Scalar", {span.start, 0})});
  span.end = add(select(box, 0, far), 1);
  span.end_clipped = b.call("aten.is_nonzero.default", {b.call("aten.gt.Scalar", {span.end, size})});
  return span;
}

/// `bound - box[near]`: the place in the mask. The bound is the number `limit` if it was clipped.
Tensor in_mask(const Tensor& box, std::int64_t near, const Tensor& clipped, std::int64_t limit, const Tensor& bound) {
  Builder& b = box.builder();
  const Tensor origin = select(box, 0, near);
  return b.branch(
      clipped, kClipped,
      [&] {
        return std::vector{b.call("aten.rsub.Scalar", {origin, limit})};
      },
      [&] { return std::vector{sub(bound, origin)}; })[0];
}

/// The bound as a number: read from the device only if it was not clipped.
Tensor in_image(const Tensor& clipped, std::int64_t limit, const Tensor& bound) {
  Builder& b = bound.builder();
  return b.branch(
      clipped, kClipped, [&] { return std::vector{b.call("nongemm.int_constant.default", {limit})}; },
      [&] { return std::vector{item(bound)}; })[0];
}

/// x[start:end] along `dim`, dispatched only if it leaves anything out.
Tensor cut(const Tensor& x, std::int64_t dim, const Tensor& start, const Tensor& end, double expected) {
  Builder& b = x.builder();
  return b.branch(
      b.call("nongemm.slice_cuts.default", {x, dim, start, end}), expected,
      [&] { return std::vector{slice(x, dim, start, end)}; }, [&] { return std::vector{x}; })[0];
}

/// paste_mask_in_image. mask: [1, side, side], box: [4] int64.
Tensor paste(const Tensor& mask, const Tensor& box, ImageSize image) {
  Builder& b = mask.builder();
  const Tensor plane = select(mask, 0, 0);
  const auto extent = [&](std::int64_t far, std::int64_t near) {
    const Tensor end = select(box, 0, far);
    return item(add(sub(end, select(box, 0, near)), 1));
  };
  Tensor width = extent(2, 0);
  Tensor height = extent(3, 1);
  width = b.call("nongemm.int_max.default", {width, 1});
  height = b.call("nongemm.int_max.default", {height, 1});
  const Tensor resized = b.call(
      "aten.upsample_bilinear2d.vec",
      {expand(plane, {1, 1, -1, -1}), std::vector<Int>{Int::of(height.id()), Int::of(width.id())}, false, kNone});
  const Tensor pasted = select(select(resized, 0, 0), 0, 0);
  const Tensor canvas = b.call("aten.zeros.default", {Shape{image.first, image.second}}, {{"dtype", mask.dtype()}});

  const Span x = clip(box, 0, 2, image.second);
  const Span y = clip(box, 1, 3, image.first);
  const Tensor mask_top = in_mask(box, y.near, y.start_clipped, 0, y.start);
  const Tensor mask_bottom = in_mask(box, y.near, y.end_clipped, y.size, y.end);
  const Tensor mask_left = in_mask(box, x.near, x.start_clipped, 0, x.start);
  const Tensor mask_right = in_mask(box, x.near, x.end_clipped, x.size, x.end);

  const Tensor row_start = item(mask_top);
  const Tensor row_end = item(mask_bottom);
  const Tensor rows = cut(pasted, 0, row_start, row_end, kMaskCut);
  const Tensor column_start = item(mask_left);
  const Tensor column_end = item(mask_right);
  const Tensor source = cut(rows, 1, column_start, column_end, kMaskCut);

  const Tensor image_top = in_image(y.start_clipped, 0, y.start);
  const Tensor image_bottom = in_image(y.end_clipped, y.size, y.end);
  const Tensor target_rows = cut(canvas, 0, image_top, image_bottom, kImageCut);
  const Tensor image_left = in_image(x.start_clipped, 0, x.start);
  const Tensor image_right = in_image(x.end_clipped, x.size, x.end);
  const Tensor target = cut(target_rows, 1, image_left, image_right, kImageCut);
  b.call("aten.copy_.default", {target, source});
  return canvas;
}

}  // namespace

Tensor paste_masks(const Tensor& masks, const Tensor& boxes, ImageSize image, std::int64_t expected) {
  Builder& b = masks.builder();
  constexpr std::int64_t kPadding = 1;
  const auto side = static_cast<double>(masks.size(3));
  const Tensor padded = b.call("aten.pad.default", {masks, Shape(4, kPadding)});
  const Tensor whole = expand_boxes(boxes, (side + 2.0 * kPadding) / side);
  const Tensor mask_list = b.call("aten.unbind.int", {padded, 0});
  const Tensor box_list = b.call("aten.unbind.int", {whole, 0});
  const Int count = rows_of(masks);
  const Tensor any = b.call("nongemm.int_greater.default", {Tensor(&b, count.ref), 0});
  return b.branch(
      any, 1.0,
      [&] {
        const std::vector<Tensor> pasted = b.foreach (
            {mask_list, box_list}, expected,
            [&](const std::vector<Tensor>& element) { return std::vector{paste(element[0], element[1], image)}; });
        return std::vector{unsqueeze(b.call("aten.stack.default", {pasted, 0}), 1)};
      },
      [&] {
        return std::vector{b.call("aten.new_empty.default", {padded, Shape{0, 1, image.first, image.second}})};
      })[0];
}

}  // namespace nongemm
