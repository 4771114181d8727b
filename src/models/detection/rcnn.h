// The parts of torchvision's Faster and Mask R-CNN (models.detection), in the order in which they run.
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "models/config.h"
#include "models/registry.h"
#include "ops/builder.h"

namespace nongemm {

using ImageSize = std::pair<std::int64_t, std::int64_t>;  // height, width

/// The constructor's arguments, with torchvision's defaults.
struct Rcnn {
  std::int64_t min_size, max_size, size_divisible;
  std::vector<std::int64_t> fixed_size;  // {width, height} of every image; empty: by min_size and max_size
  std::vector<double> image_mean, image_std;
  std::int64_t classes, channels, representation;
  std::vector<std::int64_t> anchor_sizes;  // one per pyramid level
  std::vector<double> aspect_ratios;
  std::int64_t rpn_depth, rpn_pre_nms, rpn_post_nms;
  double rpn_nms_threshold, rpn_score_threshold;
  double box_score_threshold, box_nms_threshold;
  std::array<double, 4> box_weights;  // by which box codes are divided
  std::int64_t detections;
  std::vector<std::int64_t> mask_layers;
  std::int64_t mask_width;
  DeviceKind device;

  /// Throws Error(kBadInput) naming the key that is out of range.
  Rcnn(const Config& config, const ModelOptions& options);
};

/// What the heads do with the proposals of one image.
struct Detections {
  Tensor boxes, scores, labels, masks;
};

/// Region proposals per image: [n, 4], at most rpn_post_nms each. levels: pyramid maps, the finest first.
/// @param padded size of the batch of images, from which strides follow
std::vector<Tensor> propose_regions(Builder& builder, const Rcnn& model, const std::vector<Tensor>& levels,
                                    const std::vector<ImageSize>& images, ImageSize padded);

/// RoIHeads: boxes, scores and labels of each image, masks of 28 x 28 too when the model has them.
std::vector<Detections> detect(Builder& builder, const Rcnn& model, bool with_masks, const std::vector<Tensor>& levels,
                               const std::vector<Tensor>& proposals, const std::vector<ImageSize>& images);

/// paste_masks_in_image: masks [n, 1, side, side] into images of the given size, [n, 1, height, width].
/// @param expected number of masks, for what is said before a run
Tensor paste_masks(const Tensor& masks, const Tensor& boxes, ImageSize image, std::int64_t expected);

}  // namespace nongemm
