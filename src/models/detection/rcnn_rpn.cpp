// Region proposals: torchvision's RegionProposalNetwork and AnchorGenerator.
#include <cmath>

#include "models/detection/box_ops.h"
#include "models/detection/fpn.h"
#include "models/detection/rcnn.h"
#include "models/parts/functional.h"

namespace nongemm {

using namespace fn;

namespace {

struct HeadOutput {
  std::vector<Tensor> objectness;  // [images, anchors, h, w] per level
  std::vector<Tensor> deltas;      // [images, 4 * anchors, h, w]
};

HeadOutput run_head(Builder& b, const Rcnn& model, const std::vector<Tensor>& levels) {
  const auto scope = b.scope("head", "RPNHead");
  const auto anchors = static_cast<std::int64_t>(model.aspect_ratios.size());
  HeadOutput out;
  for (const Tensor& level : levels) {
    Tensor x = level;
    for (std::int64_t i = 0; i < model.rpn_depth; ++i) {
      const auto conv = b.scope("conv." + std::to_string(i), "Conv2dNormActivation");
      x = biased_conv(b, "0", x, model.channels, 3, std::sqrt(2.0 / static_cast<double>(9 * model.channels)));
      const auto act = b.scope("1", "ReLU");
      x = relu_(x);
    }
    out.objectness.push_back(biased_conv(b, "cls_logits", x, anchors, 1, 0.01));
    out.deltas.push_back(biased_conv(b, "bbox_pred", x, 4 * anchors, 1, 0.01));
  }
  return out;
}

/// One anchor per aspect ratio around the origin, rounded: [ratios, 4].
Tensor cell_anchors(Builder& b, const Rcnn& model, std::int64_t size) {
  std::vector<float> values;
  for (const double aspect : model.aspect_ratios) {
    const float height_ratio = std::sqrt(static_cast<float>(aspect));
    const float width_ratio = 1.0F / height_ratio;
    const float width = width_ratio * static_cast<float>(size);
    const float height = height_ratio * static_cast<float>(size);
    for (const float side : {-width, -height, width, height}) values.push_back(std::nearbyint(side / 2.0F));
  }
  const auto rows = static_cast<std::int64_t>(model.aspect_ratios.size());
  return b.constant(HostTensor::from<float>(DType::kFloat32, {rows, 4}, values));
}

/// The anchors of all levels, [n, 4], once per image.
std::vector<Tensor> anchors_of(Builder& b, const Rcnn& model, const std::vector<Tensor>& levels, std::size_t images,
                               ImageSize padded) {
  const auto scope = b.scope("anchor_generator", "AnchorGenerator");
  const auto stride = [&](std::int64_t pixels, std::int64_t cells) {
    const Tensor value = b.call("aten.empty.memory_format", {Shape{}}, {{"dtype", DType::kInt64}});
    return b.call("aten.fill_.Scalar", {value, pixels / cells});
  };
  std::vector<std::pair<Tensor, Tensor>> strides;
  for (const Tensor& level : levels) {
    const Tensor down = stride(padded.first, level.size(2));
    strides.emplace_back(down, stride(padded.second, level.size(3)));
  }
  std::vector<Tensor> cells;
  for (const std::int64_t size : model.anchor_sizes) {
    cells.push_back(b.call("aten.to.device", {cell_anchors(b, model, size), kNone, levels[0].dtype()}));
  }
  std::vector<Tensor> grids;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto shifts = [&](std::int64_t count, const Tensor& step) {
      return mul(b.call("aten.arange.start", {0, count}, {{"dtype", DType::kInt32}}), step);
    };
    const Tensor across = shifts(levels[i].size(3), strides[i].second);
    const Tensor down = shifts(levels[i].size(2), strides[i].first);
    const std::vector<Tensor> grid =
        b.call_all("aten.meshgrid.indexing", {std::vector<Tensor>{down, across}}, {{"indexing", "ij"}});
    const Tensor x = reshape(grid[1], {-1});
    const Tensor y = reshape(grid[0], {-1});
    const Tensor corners = b.call("aten.stack.default", {std::vector<Tensor>{x, y, x, y}, 1});
    const Tensor places = view(corners, {-1, 1, 4});
    grids.push_back(reshape(add(places, view(cells[i], {1, -1, 4})), {-1, 4}));
  }
  std::vector<Tensor> anchors;
  for (std::size_t i = 0; i < images; ++i) anchors.push_back(cat(grids, 0));
  return anchors;
}

/// [images, anchors * width, h, w] as [images, h * w * anchors, width].
Tensor flatten_predictions(const Tensor& x, std::int64_t width) {
  const Tensor split = view(x, {x.size(0), -1, width, x.size(2), x.size(3)});
  return reshape(permute(split, {0, 3, 4, 1, 2}), {x.size(0), -1, width});
}

struct Candidates {
  Tensor boxes, scores, levels;  // per image: [n, 4], [n], [n]
};

Candidates keep(const Candidates& from, const Tensor& rows) {
  Candidates kept;
  kept.boxes = index(from.boxes, {rows});
  kept.scores = index(from.scores, {rows});
  kept.levels = index(from.levels, {rows});
  return kept;
}

Tensor filter(const Rcnn& model, Candidates candidates, ImageSize image, const LikelyBoxes& likely) {
  Builder& b = candidates.boxes.builder();
  candidates.boxes = clip_boxes(candidates.boxes, image);
  candidates = keep(candidates, large_boxes(candidates.boxes, 1e-3));
  candidates = keep(candidates, where_true(b.call("aten.ge.Scalar", {candidates.scores, model.rpn_score_threshold})));
  Tensor best = batched_nms(candidates.boxes, candidates.scores, candidates.levels, model.rpn_nms_threshold, likely,
                            model.device);
  best = slice(best, 0, 0, model.rpn_post_nms);
  const Tensor boxes = index(candidates.boxes, {best});
  index(candidates.scores, {best});  // the original selects the scores, too, though inference does not use them
  return boxes;
}

/// For each level the most promising anchors: [images, n] indices into all anchors.
Tensor best_anchors(const Rcnn& model, const Tensor& objectness, const std::vector<std::int64_t>& counts) {
  Builder& b = objectness.builder();
  std::vector<Tensor> best;
  std::int64_t offset = 0;
  const std::vector<Tensor> levels = b.call_all("aten.split_with_sizes.default", {objectness, Shape(counts), 1});
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::int64_t most = std::min(model.rpn_pre_nms, counts[i]);
    const Tensor indices = b.call_all("aten.topk.default", {levels[i], most, 1}).at(1);
    best.push_back(add(indices, offset));
    offset += counts[i];
  }
  return cat(best, 1);
}

}  // namespace

std::vector<Tensor> propose_regions(Builder& b, const Rcnn& model, const std::vector<Tensor>& levels,
                                    const std::vector<ImageSize>& images, ImageSize padded) {
  const auto scope = b.scope("rpn", "RegionProposalNetwork");
  const HeadOutput head = run_head(b, model, levels);
  const std::vector<Tensor> anchors = anchors_of(b, model, levels, images.size(), padded);
  const auto count = static_cast<std::int64_t>(images.size());

  std::vector<std::int64_t> counts;
  for (const Tensor& level : head.objectness) {
    const Tensor first = select(level, 0, 0);
    counts.push_back(first.size(0) * first.size(1) * first.size(2));
  }
  std::vector<Tensor> scores;
  std::vector<Tensor> codes;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    scores.push_back(flatten_predictions(head.objectness[i], 1));
    codes.push_back(flatten_predictions(head.deltas[i], 4));
  }
  Tensor objectness = flatten(cat(scores, 1), 0, -2);
  const Tensor deltas = b.call("aten.detach.default", {reshape(cat(codes, 1), {-1, 4})});
  const Tensor all_anchors = cat(anchors, 0);
  const Tensor decoded = decode_boxes(reshape(deltas, {all_anchors.size(0), -1}), all_anchors, {1.0, 1.0, 1.0, 1.0});
  const Tensor boxes = view(decoded, {count, -1, 4});

  objectness = reshape(b.call("aten.detach.default", {objectness}), {count, -1});
  std::vector<Tensor> numbers;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    numbers.push_back(
        b.call("aten.full.default", {Shape{counts[i]}, static_cast<std::int64_t>(i)}, {{"dtype", DType::kInt64}}));
  }
  const Tensor level_row = reshape(cat(numbers, 0), {1, -1});
  const Tensor level_of = b.call("aten.expand_as.default", {level_row, objectness});
  const Tensor best = best_anchors(model, objectness, counts);
  const Tensor image_column = unsqueeze(b.call("aten.arange.default", {count}), 1);
  const Tensor best_objectness = index(objectness, {image_column, best});
  const Tensor best_levels = index(level_of, {image_column, best});
  const Tensor best_boxes = index(boxes, {image_column, best});
  const Tensor best_scores = b.call("aten.sigmoid.default", {best_objectness});

  const std::vector<Tensor> image_boxes = b.call_all("aten.unbind.int", {best_boxes, 0});
  const std::vector<Tensor> image_scores = b.call_all("aten.unbind.int", {best_scores, 0});
  const std::vector<Tensor> image_levels = b.call_all("aten.unbind.int", {best_levels, 0});
  const LikelyBoxes likely = {
      .at_most = best.size(1), .boxes = best.size(1), .categories = static_cast<std::int64_t>(levels.size())};
  std::vector<Tensor> proposals;
  for (std::size_t i = 0; i < images.size(); ++i) {
    proposals.push_back(filter(model, {image_boxes[i], image_scores[i], image_levels[i]}, images[i], likely));
  }
  return proposals;
}

}  // namespace nongemm
