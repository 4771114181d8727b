// RoI selection: choosing boxes and cutting features out for them. Paper II-A2, Figure 2 (b).
#include <algorithm>
#include <array>
#include <limits>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

std::vector<Type> infer_nms(const Operands&) { return {tensor_type(DType::kInt64, {kDynamic})}; }

std::vector<Type> infer_roi_align(const Operands& operands) {
  const Type& input = operands.tensor(0, 2);
  return {tensor_type(input.dtype,
                      {operands.tensor(1, 1).shape[0], input.shape[1], operands.integer(3), operands.integer(4)})};
}

/// Pairs of boxes at worst: intersection, union and a comparison are about 12 operations.
Cost cost_nms(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const double boxes = count_of(operands.tensor(0)) / 4.0;
  cost.flops = 6.0 * boxes * boxes;
  return cost;
}

/// Four bilinear taps with weights for each sampling point.
Cost cost_roi_align(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  // Without a number of points, a region has as many as its size asks for.
  const std::int64_t ratio = operands.integer(5);
  const double per_side = ratio > 0 ? static_cast<double>(ratio) : kUnknownWork;
  cost.flops = count_of(results[0]) * per_side * per_side * 8.0;
  return cost;
}

/// dets [n, 4], scores [n] -> kept indices by falling score, which is also the order in which ONNX selects.
void lower_nms(OnnxLowering& onnx) {
  const auto boxes = onnx.unsqueeze(onnx.cast(onnx.tensor(0), onnx.dtype_of(0), DType::kFloat32), 0);
  const auto scores = onnx.unsqueeze(onnx.cast(onnx.tensor(1), onnx.dtype_of(1), DType::kFloat32), {0, 1});
  const auto all = onnx.integer_constants({std::numeric_limits<std::int32_t>::max()});
  const auto threshold = onnx.tensor(2, DType::kFloat32);
  // [kept, {batch, class, box}]
  const auto selected = onnx.add("NonMaxSuppression", {boxes, scores, all, threshold});
  onnx.result(onnx.pick(selected, 2, 1));
}

/// rois [n, {image, x1, y1, x2, y2}]. Aligned means that pixels are squares around their coordinates, which ONNX has
/// since opset 16.
void lower_roi_align(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  if (operands.flag(6) && !onnx.at_least(16)) {
    onnx.unsupported("aligned regions came with opset 16", "choose a newer opset");
  }
  const auto rois = onnx.tensor(1);
  const auto boxes = onnx.slice(rois, 1, onnx.integer_constants({1}), onnx.integer_constants({5}));
  const auto images = onnx.pick(rois, 0, 1);
  OnnxLowering::Attributes attributes = {{"output_height", operands.integer(3)},
                                         {"output_width", operands.integer(4)},
                                         {"sampling_ratio", std::max<std::int64_t>(operands.integer(5), 0)},
                                         {"spatial_scale", operands.number(2)}};
  if (onnx.at_least(16)) {
    const std::string mode = operands.flag(6) ? "half_pixel" : "output_half_pixel";
    attributes.push_back({"coordinate_transformation_mode", mode});
  }
  const auto indices = onnx.cast(images, onnx.dtype_of(1), DType::kInt64);
  onnx.result(onnx.add("RoiAlign", {onnx.tensor(0), boxes, indices}, attributes));
}

constexpr std::array kEntries = {
    OpEntry{.schema = "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            .group = Group::kRoi,
            .variant = "NMS",
            .traits = {.dynamic = true},
            .infer = infer_nms,
            .cost = cost_nms,
            .lower = lower_nms},
    OpEntry{.schema = "torchvision::roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
                      "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor",
            .group = Group::kRoi,
            .variant = "RoIAlign",
            .traits = {.dynamic = true, .reduction = true},
            .infer = infer_roi_align,
            .cost = cost_roi_align,
            .lower = lower_roi_align},
};

}  // namespace

std::span<const OpEntry> roi_entries() { return kEntries; }

}  // namespace nongemm
