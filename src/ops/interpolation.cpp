// Interpolation: resizing feature maps.
#include <array>
#include <cmath>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

/// input [n, c, h, w]; the size is given, or (.vec) follows from scale factors.
std::vector<Type> infer_upsample(const Operands& operands) {
  const Type& input = operands.tensor(0, 4);
  Type result = tensor_type(input.dtype, input.shape);
  if (operands.has(1)) {
    const std::vector<std::int64_t> size = operands.pair(1, kDynamic);
    result.shape[2] = size[0];
    result.shape[3] = size[1];
  } else {
    const auto* factors = std::get_if<std::vector<double>>(&operands.raw(operands.position("scale_factors")));
    if (factors == nullptr || factors->size() != 2) {
      throw Error(ErrorKind::kBadInput, operands.node().op + " needs an output size or two scale factors");
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if (result.shape[2 + i] == kDynamic) continue;
      result.shape[2 + i] =
          static_cast<std::int64_t>(std::floor(static_cast<double>(result.shape[2 + i]) * (*factors)[i]));
    }
  }
  if (is_channels_last(input)) lay_channels_last(result);
  return {result};
}

/// input [n, c, h, w] read at the places that grid [n, h', w', 2] names, each between -1 and 1.
std::vector<Type> infer_grid_sampler(const Operands& operands) {
  const Type& input = operands.tensor(0, 4);
  const Shape& grid = operands.tensor(1, 4).shape;
  return {tensor_type(input.dtype, {input.shape[0], input.shape[1], grid[1], grid[2]})};
}

/// A weighted sum of 4 elements, of one, or of 16.
Cost cost_grid_sampler(const Operands& operands, std::span<const Type> results) {
  switch (operands.integer(2)) {
    case 0:
      return per_output<8>(operands, results);
    case 1:
      return moves(operands, results);
    default:
      return per_output<32>(operands, results);
  }
}

void grid_sample(OnnxLowering& onnx) {
  if (!onnx.at_least(16)) onnx.unsupported("GridSample came with opset 16", "choose a newer opset");
  constexpr std::array kModes = {"bilinear", "nearest", "bicubic"};
  constexpr std::array kNewModes = {"linear", "nearest", "cubic"};  // since opset 20
  constexpr std::array kPaddings = {"zeros", "border", "reflection"};
  const auto mode = static_cast<std::size_t>(onnx.operands().integer(2));
  const auto padding = static_cast<std::size_t>(onnx.operands().integer(3));
  if (mode >= kModes.size() || padding >= kPaddings.size()) onnx.unsupported("an unknown way to interpolate");
  onnx.result(onnx.add("GridSample", {onnx.tensor(0), onnx.tensor(1)},
                       {{"mode", std::string(onnx.at_least(20) ? kNewModes[mode] : kModes[mode])},
                        {"padding_mode", std::string(kPaddings[padding])},
                        {"align_corners", std::int64_t{onnx.operands().flag(4)}}}));
}

constexpr OpEntry entry(std::string_view schema, std::string_view variant, CostRule cost, LowerRule lower) {
  return {.schema = schema,
          .group = Group::kInterpolation,
          .variant = variant,
          .traits = {.single_operand = true},
          .infer = infer_upsample,
          .cost = cost,
          .lower = lower};
}

constexpr std::array kEntries = {
    entry("aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? scales_w=None) "
          "-> Tensor",
          "Nearest", moves, onnx_rules::resize_nearest),
    entry("aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
          "Nearest", moves, onnx_rules::resize_nearest),
    entry("aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
          "float? scales_w=None) -> Tensor",
          "Bilinear", per_output<8>, onnx_rules::resize_bilinear),
    entry("aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
          "float[]? scale_factors) -> Tensor",
          "Bilinear", per_output<8>, onnx_rules::resize_bilinear),
    entry("aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
          "float? scales_w=None) -> Tensor",
          "Bicubic", per_output<32>, onnx_rules::resize_bicubic),
    entry("aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
          "float[]? scale_factors) -> Tensor",
          "Bicubic", per_output<32>, onnx_rules::resize_bicubic),
    OpEntry{.schema = "aten::grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, "
                      "bool align_corners) -> Tensor",
            .group = Group::kInterpolation,
            .variant = "GridSample",
            .traits = {.dynamic = true},
            .infer = infer_grid_sampler,
            .cost = cost_grid_sampler,
            .lower = grid_sample},
};

}  // namespace

std::span<const OpEntry> interpolation_entries() { return kEntries; }

}  // namespace nongemm
