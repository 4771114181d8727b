// RoI selection: choosing boxes and cutting features out for them. Paper II-A2, Figure 2 (b).
#include <array>

#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

std::vector<Type> infer_nms(const Operands&) { return {tensor_type(DType::kInt64, {kDynamic})}; }

std::vector<Type> infer_roi_align(const Operands& operands) {
  const Type& input = operands.tensor(0);
  return {tensor_type(input.dtype,
                      {operands.tensor(1).shape[0], input.shape[1], operands.integer(3), operands.integer(4)})};
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
  const double per_side = static_cast<double>(std::max<std::int64_t>(operands.integer(5), 1));
  cost.flops = count_of(results[0]) * per_side * per_side * 8.0;
  return cost;
}

constexpr std::array kEntries = {
    OpEntry{.schema = "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            .group = Group::kRoi,
            .variant = "NMS",
            .traits = {.dynamic = true},
            .infer = infer_nms,
            .cost = cost_nms},
    OpEntry{.schema = "torchvision::roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, "
                      "SymInt pooled_width, int sampling_ratio, bool aligned) -> Tensor",
            .group = Group::kRoi,
            .variant = "RoIAlign",
            .traits = {.dynamic = true, .reduction = true},
            .infer = infer_roi_align,
            .cost = cost_roi_align},
};

}  // namespace

std::span<const OpEntry> roi_entries() { return kEntries; }

}  // namespace nongemm
