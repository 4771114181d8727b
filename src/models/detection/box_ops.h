// Boxes as torchvision handles them (torchvision.ops.boxes, models.detection._utils): [n, 4] as x1, y1, x2, y2.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "ops/builder.h"
#include "spec/device.h"

namespace nongemm {

/// x[indices...], an absent index for None.
Tensor index(const Tensor& x, const std::vector<Tensor>& indices);
/// torch.where(condition)[0] of a one-dimensional condition.
Tensor where_true(const Tensor& condition);
/// The number of rows, for sizes of other tensors.
Int rows_of(const Tensor& x);

/// BoxCoder.decode: codes [n, 4 * classes] relative to boxes [n, 4]. Returns [n, classes, 4].
Tensor decode_boxes(const Tensor& codes, const Tensor& boxes, const std::array<double, 4>& weights);

/// clip_boxes_to_image: boxes [..., 4] into an image of {height, width}.
Tensor clip_boxes(const Tensor& boxes, std::pair<std::int64_t, std::int64_t> image);

/// remove_small_boxes: indices of the boxes whose sides are at least `side`.
Tensor large_boxes(const Tensor& boxes, double side);

/// How many boxes there are, before a run knows.
struct LikelyBoxes {
  std::int64_t at_most = 0;  // no run has more
  std::int64_t boxes = 0;    // in a photograph, by a trained model
  std::int64_t categories = 0;
};

/// batched_nms: suppression within each category; indices of what is kept, by falling score. torchvision chooses the
/// way by the number of boxes and the device: a loop over the categories, or all at once with shifted coordinates.
Tensor batched_nms(const Tensor& boxes, const Tensor& scores, const Tensor& categories, double threshold,
                   const LikelyBoxes& likely, DeviceKind device);

/// resize_boxes: scales boxes from one image size to another, {height, width} each.
Tensor resize_boxes(const Tensor& boxes, std::pair<std::int64_t, std::int64_t> from,
                    std::pair<std::int64_t, std::int64_t> to);

/// MultiScaleRoIAlign over pyramid levels, in scope: features cut out for all boxes of all images.
/// @param images {height, width} of the images as the network sees them, before padding
Tensor pool_regions(Builder& builder, const std::vector<Tensor>& levels, const std::vector<Tensor>& boxes,
                    const std::vector<std::pair<std::int64_t, std::int64_t>>& images, std::int64_t size);

}  // namespace nongemm
