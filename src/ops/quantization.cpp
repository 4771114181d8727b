// Quantization: numbers of fewer bits and what it takes to get there and back. Operators of bitsandbytes 0.50.2 under
// their own names, and the program's: docs/quantization.md says who uses which.
#include <array>

#include "base/error.h"
#include "base/llm_int8.h"
#include "ops/entries.h"
#include "ops/quantization_onnx.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

constexpr Traits kRowwise = {.single_operand = true, .nonlinear = true, .reduction = true};
constexpr Traits kScaling = {.single_operand = true};
constexpr Traits kProduct = {.reduction = true};

std::int64_t rows_of(const Type& matrix) {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < matrix.shape.size(); ++i) {
    if (matrix.shape[i] == kDynamic) return kDynamic;
    rows *= matrix.shape[i];
  }
  return rows;
}

// --- rows to int8: values like the input, one scale per row ---
std::vector<Type> infer_row_quantize(const Operands& operands) {
  const Type& input = operands.tensor(0, 1);
  return {tensor_type(DType::kInt8, input.shape), tensor_type(DType::kFloat32, {rows_of(input)})};
}

/// The same, with the outlier columns, whose number only the run knows.
std::vector<Type> infer_vectorwise(const Operands& operands) {
  std::vector<Type> types = infer_row_quantize(operands);
  types.push_back(tensor_type(DType::kInt64, {kDynamic}));
  return types;
}

/// The same, with the outlier columns set aside on the device: their number and the columns, and the first of them.
std::vector<Type> infer_quantize_set_aside(const Operands& operands) {
  std::vector<Type> types = infer_row_quantize(operands);
  const Type& input = operands.tensor(0, 1);
  const std::int64_t columns = input.shape.back();
  types.push_back(tensor_type(DType::kInt32, {columns == kDynamic ? kDynamic : columns + 1}));
  types.push_back(tensor_type(input.dtype, {types[1].shape[0], kGatheredOutliers}));
  return types;
}

/// A comparison with the threshold and one for the maximum, a product and a rounding, for each element.
Cost cost_row_quantize(const Operands& operands, std::span<const Type> results) {
  const Type& input = operands.tensor(0);
  return {4.0 * count_of(input), bytes_of(input), bytes_of(results[0]) + bytes_of(results[1])};
}

/// The same with a scale that was found before, [] or [1]: one step of the result's type.
std::vector<Type> infer_static(const Operands& operands) {
  const DType dtype = operands.dtype(operands.position("dtype"), DType::kInt8);
  if (dtype != DType::kInt8 && dtype != DType::kFloat8E4M3) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": values of " + std::string(name_of(dtype)) +
                                          "; int8 and float8_e4m3fn are there");
  }
  const Type& input = operands.tensor(0, 1);
  return {tensor_type(dtype, input.shape), tensor_type(DType::kFloat32, {rows_of(input)})};
}

/// A division, a rounding and two comparisons for each element.
Cost cost_static(const Operands& operands, std::span<const Type> results) {
  const Type& input = operands.tensor(0);
  return {4.0 * count_of(input), bytes_of(input) + bytes_of(operands.tensor(1)),
          bytes_of(results[0]) + bytes_of(results[1])};
}

// --- int8 products: values [rows, inner], weight [columns, inner] ---
void check_inner(const Operands& operands, const Type& values, const Type& weight) {
  const std::int64_t a = values.shape.back();
  const std::int64_t b = weight.shape.back();
  if (a == b || a == kDynamic || b == kDynamic) return;
  throw Error(ErrorKind::kBadInput,
              operands.node().op + ": inner dimensions " + std::to_string(a) + " and " + std::to_string(b) + " differ");
}

Type product_type(const Operands& operands, std::size_t values, std::size_t weight, DType dtype) {
  check_inner(operands, operands.tensor(values, 1), operands.tensor(weight, 2));
  Shape shape = operands.tensor(values).shape;
  shape.back() = operands.tensor(weight).shape[0];
  return tensor_type(dtype, shape);
}

std::vector<Type> infer_int32_product(const Operands& operands) {
  return {product_type(operands, 0, 1, DType::kInt32)};
}

std::vector<Type> infer_scaled_product(const Operands& operands) {
  return {product_type(operands, 0, 1, operands.dtype(operands.position("dtype"), DType::kFloat16))};
}

std::vector<Type> infer_mixed_product(const Operands& operands) {
  const DType dtype = operands.tensor(0).dtype;
  return {product_type(operands, 1, 2, dtype), tensor_type(dtype, {rows_of(operands.tensor(0, 1)), kDynamic})};
}

double product_flops(const Type& result, std::int64_t inner) {
  return 2.0 * count_of(result) * static_cast<double>(inner);
}

/// Outlier columns, of which none is expected where nothing is known, come on top.
Cost cost_product(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = product_flops(results[0], operands.tensor(0, 1).shape.back());
  return cost;
}

Cost cost_mixed_product(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  cost.flops = product_flops(results[0], operands.tensor(1, 1).shape.back());
  return cost;
}

/// With scales the result is in `dtype`; the input and its outliers take part only where they are.
Cost cost_int8_linear(const Operands& operands, std::span<const Type> results) {
  Cost cost = cost_product(operands, results);
  if (operands.has(operands.position("input")))
    cost.bytes_read -= bytes_of(operands.tensor(operands.position("input")));
  return cost;
}

// --- weights alone: groups along a row ---
std::vector<Type> infer_group_quantize(const Operands& operands) {
  const Type& weight = operands.tensor(0, 2);
  const std::int64_t bits = operands.integer(1);
  const std::int64_t group = operands.integer(2);
  if ((bits != 4 && bits != 8) || group < 1) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": groups of " + std::to_string(group) + " in " +
                                          std::to_string(bits) + " bits; 4 and 8 bits are there");
  }
  const std::int64_t inner = weight.shape[1];
  const auto parts = [&](std::int64_t size) { return inner == kDynamic ? kDynamic : (inner + size - 1) / size; };
  const Type values =
      bits == 8 ? tensor_type(DType::kInt8, weight.shape) : tensor_type(DType::kUInt8, {weight.shape[0], parts(2)});
  return {values, tensor_type(weight.dtype, {weight.shape[0], parts(group)})};
}

std::vector<Type> infer_grouped_linear(const Operands& operands) {
  const Type& input = operands.tensor(0, 1);
  const Type& weight = operands.tensor(1, 2);
  const std::int64_t inner = input.shape.back();
  const std::int64_t per_byte = operands.integer(operands.position("bits")) == 4 ? 2 : 1;
  if (inner != kDynamic && weight.shape[1] != (inner + per_byte - 1) / per_byte) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": a weight of " + std::to_string(weight.shape[1]) +
                                          " bytes a row for an input of " + std::to_string(inner));
  }
  Shape shape = input.shape;
  shape.back() = weight.shape[0];
  return {tensor_type(input.dtype, shape)};
}

/// The product alone, and a scaling of each weight.
Cost cost_grouped_linear(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const double inner = static_cast<double>(operands.tensor(0, 1).shape.back());
  cost.flops = product_flops(results[0], operands.tensor(0, 1).shape.back()) +
               static_cast<double>(operands.tensor(1).shape[0]) * inner;
  return cost;
}

// --- what checkpoints pack into words ---
std::vector<Type> infer_unpack_words(const Operands& operands) {
  const Type& words = operands.tensor(0, 2);
  const std::int64_t bits = operands.integer(1);
  Shape shape = words.shape;
  const std::size_t dim = wrap_dim(operands.integer(2), shape.size());
  if (bits != 4 && bits != 8) throw Error(ErrorKind::kBadInput, operands.node().op + ": words of 4 or 8 bits");
  if (shape[dim] != kDynamic) shape[dim] *= 32 / bits;
  return {tensor_type(DType::kUInt8, shape)};
}

std::vector<Type> infer_pack_pairs(const Operands& operands) {
  Shape shape = operands.tensor(0, 2).shape;
  if (shape[1] != kDynamic) shape[1] = (shape[1] + 1) / 2;
  return {tensor_type(DType::kUInt8, shape)};
}

// --- fp8 ---
std::vector<Type> infer_fp8_rows(const Operands& operands) {
  const Type& input = operands.tensor(0, 1);
  return {tensor_type(DType::kFloat8E4M3, input.shape), tensor_type(DType::kFloat32, {rows_of(input)})};
}

// --- back to floating point ---
std::vector<Type> infer_mm_dequant(const Operands& operands) {
  return {tensor_type(operands.dtype(3, DType::kFloat16), operands.tensor(0).shape)};
}

std::vector<Type> infer_vectorwise_dequant(const Operands& operands) {
  return {tensor_type(DType::kFloat32, operands.tensor(0).shape)};
}

/// Only what stands in the outlier columns is read, and without outliers nothing at all.
Cost cost_outlier_product(const Operands&, std::span<const Type>) { return {kUnknownWork, kUnknownWork, kUnknownWork}; }

constexpr OpEntry entry(std::string_view schema, Group group, std::string_view variant, Traits traits, InferRule infer,
                        CostRule cost, LowerRule lower = nullptr) {
  return {.schema = schema,
          .group = group,
          .variant = variant,
          .traits = traits,
          .infer = infer,
          .cost = cost,
          .lower = lower};
}

constexpr std::array kEntries = {
    // bitsandbytes
    entry("bitsandbytes::int8_vectorwise_quant(Tensor A, float threshold=0.0) -> (Tensor, Tensor, Tensor?)",
          Group::kQuantization, "Quantize", kRowwise, infer_vectorwise, cost_row_quantize),
    entry("bitsandbytes::int8_vectorwise_dequant(Tensor A, Tensor stats) -> Tensor", Group::kQuantization, "Dequantize",
          kScaling, infer_vectorwise_dequant, per_output<2>),
    entry("bitsandbytes::int8_linear_matmul(Tensor A, Tensor B) -> Tensor", Group::kGemm, "Int8Linear", kProduct,
          infer_int32_product, cost_product),
    entry("bitsandbytes::int8_mm_dequant(Tensor A, Tensor row_stats, Tensor col_stats, ScalarType? dtype=None, "
          "Tensor? bias=None) -> Tensor",
          Group::kQuantization, "Dequantize", kScaling, infer_mm_dequant, per_output<3>),
    entry("bitsandbytes::int8_scaled_mm(Tensor A, Tensor B, Tensor row_stats, Tensor col_stats, Tensor? bias=None, "
          "ScalarType? dtype=None) -> Tensor",
          Group::kGemm, "Int8Linear", kProduct, infer_scaled_product, cost_product),
    entry("bitsandbytes::int8_mixed_scaled_mm(Tensor A, Tensor CA, Tensor CB, Tensor SCA, Tensor SCB, "
          "Tensor? outlier_cols=None, Tensor? bias=None) -> (Tensor, Tensor?)",
          Group::kGemm, "Int8Linear", kProduct, infer_mixed_product, cost_mixed_product),
    // The one kernel of int8_vectorwise_quant that is no operator of PyTorch's.
    entry("nongemm::int8_row_quantize(Tensor input, float threshold=0.0) -> (Tensor values, Tensor scales)",
          Group::kQuantization, "Quantize", kRowwise, infer_row_quantize, cost_row_quantize, onnx_rules::row_quantize),
    // With a scale that calibration found: values are whole steps of it; `scales` as the products take them.
    entry("nongemm::static_quantize(Tensor input, Tensor step, *, ScalarType? dtype=None) -> (Tensor values, "
          "Tensor scales)",
          Group::kQuantization, "Quantize", {.single_operand = true, .nonlinear = true}, infer_static, cost_static,
          onnx_rules::static_quantize),
    // LLM.int8 without waits of the host.
    entry("nongemm::int8_quantize(Tensor input, float threshold) -> (Tensor values, Tensor scales, Tensor outliers, "
          "Tensor gathered)",
          Group::kQuantization, "Quantize", kRowwise, infer_quantize_set_aside, cost_row_quantize),
    entry("nongemm::add_outlier_product_(Tensor(a!) self, Tensor input, Tensor outliers, Tensor gathered, "
          "Tensor weight, Tensor weight_scales) -> Tensor(a!)",
          Group::kQuantization, "OutlierProduct", {.reduction = true}, in_place, cost_outlier_product),
    entry("nongemm::int8_linear(Tensor values, Tensor weight, Tensor scales, Tensor weight_scales, Tensor? bias=None, "
          "*, Tensor? input=None, Tensor? outliers=None, Tensor? gathered=None, ScalarType? dtype=None) -> Tensor",
          Group::kGemm, "Int8Linear", kProduct, infer_scaled_product, cost_int8_linear, onnx_rules::int8_linear),
    // Weights alone: of 4 bits two lie in a byte, the first in the lower half. A value is what it is above its group's
    // zero; without zeros 4 bits are moved up by 8, and 8 bits have a sign.
    entry("nongemm::group_quantize(Tensor weight, int bits, int group) -> (Tensor values, Tensor scales)",
          Group::kQuantization, "Quantize", kRowwise, infer_group_quantize, cost_row_quantize),
    entry(
        "nongemm::grouped_linear(Tensor input, Tensor weight, Tensor scales, Tensor? zeros=None, Tensor? bias=None, *, "
        "int bits, int group) -> Tensor",
        Group::kGemm, "GroupedLinear", kProduct, infer_grouped_linear, cost_grouped_linear, onnx_rules::grouped_linear),
    // Levels that checkpoints pack into words of 32 bits along a dimension; `order` says where each stands.
    entry("nongemm::unpack_words(Tensor words, int bits, int dim, int[] order) -> Tensor", Group::kQuantization,
          "Unpack", {}, infer_unpack_words, moves),
    entry("nongemm::pack_pairs(Tensor levels) -> Tensor", Group::kQuantization, "Pack", {}, infer_pack_pairs, moves),
    // e4m3 by rows, as torch._scaled_mm takes it.
    entry("nongemm::fp8_row_quantize(Tensor input) -> (Tensor values, Tensor scales)", Group::kQuantization, "Quantize",
          kRowwise, infer_fp8_rows, cost_row_quantize),
    entry(
        "nongemm::fp8_linear(Tensor values, Tensor weight, Tensor scales, Tensor weight_scales, Tensor? bias=None, *, "
        "ScalarType? dtype=None) -> Tensor",
        Group::kGemm, "Fp8Linear", kProduct, infer_scaled_product, cost_product),
};

}  // namespace

std::span<const OpEntry> quantization_entries() { return kEntries; }

}  // namespace nongemm
