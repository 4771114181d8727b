// The heads of R-CNN: torchvision's RoIHeads with TwoMLPHead, FastRCNNPredictor, MaskRCNNHeads and MaskRCNNPredictor.
#include <cmath>

#include "models/detection/box_ops.h"
#include "models/detection/fpn.h"
#include "models/detection/rcnn.h"
#include "models/parts/functional.h"

namespace nongemm {

using namespace fn;

namespace {

Tensor dense(Builder& b, const std::string& name, const Tensor& x, std::int64_t out, double deviation,
             InitSpec bias = InitSpec::constant(0)) {
  const auto scope = b.scope(name, "Linear");
  const Tensor weight = b.parameter("weight", {out, x.size(1)}, InitSpec::normal(0, deviation));
  return linear(x, weight, b.parameter("bias", {out}, bias));
}

/// TwoMLPHead; synthetic weights keep the variance through the ReLU.
Tensor box_head(Builder& b, const Rcnn& model, const Tensor& regions) {
  const auto scope = b.scope("box_head", "TwoMLPHead");
  Tensor x = flatten(regions, 1);
  for (const char* name : {"fc6", "fc7"}) {
    x = relu(dense(b, name, x, model.representation, std::sqrt(2.0 / static_cast<double>(x.size(1)))));
  }
  return x;
}

struct Predictions {
  Tensor logits;  // [n, classes]
  Tensor codes;   // [n, 4 * classes]
};

Predictions predict(Builder& b, const Rcnn& model, const Tensor& features) {
  const auto scope = b.scope("box_predictor", "FastRCNNPredictor");
  const Tensor x = flatten(features, 1);
  Predictions predictions;
  // Untrained classes are all equally likely and none passes the threshold. Spread like this, 3 or 4 of 91 do, which
  // gives the thousands of candidates that suppression meets in a trained model.
  predictions.logits = dense(b, "cls_score", x, model.classes, 0.01, InitSpec::normal(0, 1.5));
  predictions.codes = dense(b, "bbox_pred", x, 4 * model.classes, 0.01);
  return predictions;
}

Detections keep(const Detections& from, const Tensor& rows) {
  Detections kept;
  kept.boxes = index(from.boxes, {rows});
  kept.scores = index(from.scores, {rows});
  kept.labels = index(from.labels, {rows});
  return kept;
}

/// What is left of one image's boxes [n, classes, 4] and scores [n, classes].
Detections filter(Builder& b, const Rcnn& model, const Tensor& all_boxes, const Tensor& all_scores, ImageSize image) {
  const Tensor clipped = clip_boxes(all_boxes, image);
  const Tensor numbers = view(b.call("aten.arange.default", {model.classes}), {1, -1});
  const Tensor labels = b.call("aten.expand_as.default", {numbers, all_scores});
  constexpr std::int64_t kEnd = INT64_MAX;
  Detections found;  // class 0 is the background
  found.boxes = slice(clipped, 1, 1, kEnd);
  found.scores = slice(all_scores, 1, 1, kEnd);
  found.labels = slice(labels, 1, 1, kEnd);
  found.boxes = reshape(found.boxes, {-1, 4});
  found.scores = reshape(found.scores, {-1});
  found.labels = reshape(found.labels, {-1});
  found = keep(found, where_true(b.call("aten.gt.Scalar", {found.scores, model.box_score_threshold})));
  found = keep(found, large_boxes(found.boxes, 1e-2));
  // Of the proposals of a photograph a trained model is sure about every other one, in a few classes.
  constexpr std::int64_t kFewClasses = 5;
  const LikelyBoxes likely = {
      .at_most = model.rpn_post_nms * (model.classes - 1), .boxes = model.rpn_post_nms / 2, .categories = kFewClasses};
  const Tensor best =
      batched_nms(found.boxes, found.scores, found.labels, model.box_nms_threshold, likely, model.device);
  return keep(found, slice(best, 0, 0, model.detections));
}

std::vector<Int> counts_of(const std::vector<Tensor>& per_image) {
  std::vector<Int> counts;
  for (const Tensor& rows : per_image) counts.push_back(rows_of(rows));
  return counts;
}

std::vector<Detections> find_boxes(Builder& b, const Rcnn& model, const Predictions& predictions,
                                   const std::vector<Tensor>& proposals, const std::vector<ImageSize>& images) {
  const std::vector<Int> counts = counts_of(proposals);
  const Tensor reference = cat(proposals, 0);
  const Tensor codes = reshape(predictions.codes, {-1, 4 * model.classes});
  const Tensor boxes = decode_boxes(codes, reference, model.box_weights);
  const Tensor scores = softmax(predictions.logits, -1);
  const std::vector<Tensor> image_boxes = b.call_all("aten.split_with_sizes.default", {boxes, counts, 0});
  const std::vector<Tensor> image_scores = b.call_all("aten.split_with_sizes.default", {scores, counts, 0});
  std::vector<Detections> found;
  for (std::size_t i = 0; i < images.size(); ++i) {
    found.push_back(filter(b, model, image_boxes[i], image_scores[i], images[i]));
  }
  return found;
}

Tensor mask_logits(Builder& b, const Rcnn& model, Tensor x) {
  {
    const auto head = b.scope("mask_head", "MaskRCNNHeads");
    for (std::size_t i = 0; i < model.mask_layers.size(); ++i) {
      const auto layer = b.scope(std::to_string(i), "Conv2dNormActivation");
      x = biased_conv(b, "0", x, model.mask_layers[i], 3, std::sqrt(2.0 / static_cast<double>(9 * x.size(1))));
      const auto act = b.scope("1", "ReLU");
      x = relu_(x);
    }
  }
  const auto predictor = b.scope("mask_predictor", "MaskRCNNPredictor");
  {
    const auto scope = b.scope("conv5_mask", "ConvTranspose2d");
    const Tensor weight = b.parameter("weight", {x.size(1), model.mask_width, 2, 2},
                                      InitSpec::normal(0, std::sqrt(2.0 / static_cast<double>(x.size(1)))));
    const Tensor bias = b.parameter("bias", {model.mask_width}, InitSpec::constant(0));
    x = b.call("aten.conv_transpose2d.input", {x, weight, bias, Shape{2, 2}, Shape{0, 0}, Shape{0, 0}});
  }
  {
    const auto scope = b.scope("relu", "ReLU");
    x = relu_(x);
  }
  return biased_conv(b, "mask_fcn_logits", x, model.classes, 1, std::sqrt(2.0 / static_cast<double>(model.mask_width)));
}

/// The mask of each detection's own class: [n, 1, 28, 28] per image.
void add_masks(Builder& b, const Tensor& logits, std::vector<Detections>& found) {
  const Tensor probabilities = b.call("aten.sigmoid.default", {logits});
  std::vector<Tensor> labels;
  for (const Detections& image : found) labels.push_back(image.labels);
  const std::vector<Int> counts = counts_of(labels);
  const Int total = rows_of(logits);  // never known before the run
  const Tensor all_labels = cat(labels, 0);
  const Tensor rows = b.call("aten.arange.default", {Tensor(&b, total.ref)});
  const Tensor chosen = unsqueeze(index(probabilities, {rows, all_labels}), 1);
  const std::vector<Tensor> masks = b.call_all("aten.split_with_sizes.default", {chosen, counts, 0});
  for (std::size_t i = 0; i < found.size(); ++i) found[i].masks = masks[i];
}

}  // namespace

std::vector<Detections> detect(Builder& b, const Rcnn& model, bool with_masks, const std::vector<Tensor>& levels,
                               const std::vector<Tensor>& proposals, const std::vector<ImageSize>& images) {
  constexpr std::int64_t kBoxSide = 7;
  constexpr std::int64_t kMaskSide = 14;
  const auto scope = b.scope("roi_heads", "RoIHeads");
  // The coarsest level serves proposals only.
  const std::vector<Tensor> pooled_levels(levels.begin(), levels.end() - 1);
  const auto pool = [&](const char* name, const std::vector<Tensor>& boxes, std::int64_t size) {
    const auto module = b.scope(name, "MultiScaleRoIAlign");
    return pool_regions(b, pooled_levels, boxes, images, size);
  };
  const Tensor regions = pool("box_roi_pool", proposals, kBoxSide);
  std::vector<Detections> found =
      find_boxes(b, model, predict(b, model, box_head(b, model, regions)), proposals, images);
  if (!with_masks) return found;
  std::vector<Tensor> boxes;
  for (const Detections& image : found) boxes.push_back(image.boxes);
  add_masks(b, mask_logits(b, model, pool("mask_roi_pool", boxes, kMaskSide)), found);
  return found;
}

}  // namespace nongemm
