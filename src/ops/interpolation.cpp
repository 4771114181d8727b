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
  const Type& input = operands.tensor(0);
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

// --- ONNX ---
/// Scale factors as given (.vec), empty otherwise: sampling points follow from these and not from the sizes.
std::vector<double> given_factors(const Operands& operands) {
  const int at = operands.schema().find_arg("scale_factors");
  const auto* factors =
      at < 0 ? nullptr : std::get_if<std::vector<double>>(&operands.raw(static_cast<std::size_t>(at)));
  return factors == nullptr ? std::vector<double>() : *factors;
}

void resize(OnnxLowering& onnx, OnnxLowering::Attributes attributes) {
  const Operands& operands = onnx.operands();
  if (operands.schema().find_arg("scales_h") >= 0 && operands.has(operands.position("scales_h"))) {
    onnx.unsupported("a size together with scale factors");
  }
  const std::vector<double> factors = given_factors(operands);
  OnnxLowering::Names inputs = {onnx.tensor(0), ""};
  if (!operands.has(1) && factors.size() == 2) {
    const std::vector<float> scales = {1.0F, 1.0F, static_cast<float>(factors[0]), static_cast<float>(factors[1])};
    inputs.push_back(onnx.constant(HostTensor::from(DType::kFloat32, {4}, scales)));
  } else {
    inputs.push_back("");
    const Type& type = operands.tensor(0);
    inputs.push_back(
        onnx.concat({onnx.size_of(inputs[0], type, 0), onnx.size_of(inputs[0], type, 1), onnx.integers(1)}, 0));
  }
  onnx.result(onnx.add("Resize", inputs, std::move(attributes)));
}

void resize_nearest(OnnxLowering& onnx) {
  resize(onnx, {{"mode", std::string("nearest")},
                {"coordinate_transformation_mode", std::string("asymmetric")},
                {"nearest_mode", std::string("floor")}});
}

std::string sampling(const Operands& operands) {
  return operands.flag(operands.position("align_corners")) ? "align_corners" : "half_pixel";
}

void resize_bilinear(OnnxLowering& onnx) {
  resize(onnx, {{"mode", std::string("linear")}, {"coordinate_transformation_mode", sampling(onnx.operands())}});
}

void resize_bicubic(OnnxLowering& onnx) {
  resize(onnx, {{"mode", std::string("cubic")},
                {"coordinate_transformation_mode", sampling(onnx.operands())},
                {"cubic_coeff_a", -0.75}});
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
          "Nearest", moves, resize_nearest),
    entry("aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
          "Nearest", moves, resize_nearest),
    entry("aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
          "float? scales_w=None) -> Tensor",
          "Bilinear", per_output<8>, resize_bilinear),
    entry("aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
          "float[]? scale_factors) -> Tensor",
          "Bilinear", per_output<8>, resize_bilinear),
    entry("aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
          "float? scales_w=None) -> Tensor",
          "Bicubic", per_output<32>, resize_bicubic),
    entry("aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, "
          "float[]? scale_factors) -> Tensor",
          "Bicubic", per_output<32>, resize_bicubic),
};

}  // namespace

std::span<const OpEntry> interpolation_entries() { return kEntries; }

}  // namespace nongemm
