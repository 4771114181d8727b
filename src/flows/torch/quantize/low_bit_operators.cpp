#include "flows/torch/quantize/low_bit_operators.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_scaled_mm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "flows/torch/quantize/low_bit_kernels.h"
#include "record/quantized_kernels.h"

namespace nongemm::torch_flow {
namespace {

using OptionalTensor = std::optional<at::Tensor>;

constexpr std::int64_t kRowsAtOnce = 256;  // of a weight, so that what is made of them stays in the cache
constexpr double kLargestE4M3 = 448.0;

/// What a row or a group is divided by: not by zero where all its values are.
at::Tensor divisors(const at::Tensor& scales) { return scales.masked_fill(scales.eq(0), 1.0).unsqueeze(-1); }

/// Two columns to a byte, the first in the lower half.
at::Tensor pack_pairs(const at::Tensor& levels) {
  TORCH_CHECK(levels.dim() == 2 && levels.scalar_type() == at::kByte, "levels should be a matrix of bytes");
  const at::Tensor pairs = at::constant_pad_nd(levels, {0, levels.size(1) % 2}).view({levels.size(0), -1, 2});
  return pairs.select(2, 0).bitwise_or(pairs.select(2, 1).bitwise_left_shift(4));
}

/// @param order position in the word of each level, from the lowest bits on; empty where they stand in order
at::Tensor unpack_words(const at::Tensor& words, std::int64_t bits, std::int64_t dim, at::IntArrayRef order) {
  TORCH_CHECK(words.scalar_type() == at::kInt && words.dim() == 2 && (bits == 4 || bits == 8), "words of 4 or 8 bits");
  const std::int64_t count = 32 / bits;
  TORCH_CHECK(order.empty() || static_cast<std::int64_t>(order.size()) == count, "an order of ", count, " positions");
  std::vector<at::Tensor> levels;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t at = order.empty() ? i : order[static_cast<std::size_t>(i)];
    levels.push_back(words.bitwise_right_shift(bits * at).bitwise_and((1 << bits) - 1).to(at::kByte));
  }
  std::vector<std::int64_t> shape = words.sizes().vec();
  shape[static_cast<std::size_t>(dim < 0 ? dim + 2 : dim)] *= count;
  return at::stack(levels, dim < 0 ? dim + 3 : dim + 1).view(shape);
}

// --- integers by groups ---
/// By a tensor: by a number devices multiply with its inverse, and ties fall otherwise than on a CPU.
at::Tensor divided(const at::Tensor& values, double by) {
  return values.div(at::empty({}, values.options()).fill_(by));
}

std::tuple<at::Tensor, at::Tensor> group_quantize(const at::Tensor& weight, std::int64_t bits, std::int64_t group) {
  TORCH_CHECK(weight.dim() == 2 && (bits == 4 || bits == 8) && group > 0, "a matrix in groups of 4 or 8 bits");
  const std::int64_t columns = weight.size(1);
  const std::int64_t groups = (columns + group - 1) / group;
  const double half = std::ldexp(1.0, static_cast<int>(bits) - 1);
  const at::Tensor filled = at::constant_pad_nd(weight.to(at::kFloat), {0, groups * group - columns});
  const at::Tensor parts = filled.view({weight.size(0), groups, group});
  // The range of -128 to 127 reaches as far on both sides as one of 255 steps does.
  const at::Tensor scales = divided(parts.abs().amax({-1}), half - 0.5).to(weight.scalar_type());
  const at::Tensor steps = parts.div(divisors(scales.to(at::kFloat))).round().clamp(-half, half - 1);
  at::Tensor values = steps.view({weight.size(0), groups * group}).narrow(1, 0, columns);
  if (bits == 8) return {values.to(at::kChar).contiguous(), scales};
  return {pack_pairs(values.add(half).to(at::kByte)), scales};
}

struct GroupedWeight {
  at::Tensor values;
  at::Tensor scales;
  OptionalTensor zeros;
  std::int64_t bits = 8;
  std::int64_t group = 0;
  std::int64_t columns = 0;
};

void check(const GroupedWeight& weight) {
  const std::int64_t width = weight.bits == 4 ? (weight.columns + 1) / 2 : weight.columns;
  TORCH_CHECK((weight.bits == 4 || weight.bits == 8) && weight.group > 0, "groups of 4 or 8 bits");
  const bool has_sign = weight.bits == 8 && !weight.zeros;
  TORCH_CHECK(
      !weight.zeros || (weight.zeros->sizes() == weight.scales.sizes() && weight.zeros->scalar_type() == at::kByte),
      "zeros should be bytes, one for each scale");
  TORCH_CHECK(weight.values.scalar_type() == (has_sign ? at::kChar : at::kByte) && weight.values.dim() == 2 &&
                  weight.values.size(1) == width && weight.scales.dim() == 2 &&
                  weight.scales.size(0) == weight.values.size(0) &&
                  weight.scales.size(1) == (weight.columns + weight.group - 1) / weight.group,
              "a weight of ", weight.values.sizes(), " with scales of ", weight.scales.sizes(), " for rows of ",
              weight.columns);
}

/// The product of fp32 rows with fp32 parts of a weight, each made (`part` [rows of the weight, in]) when it is needed.
template <typename Fill>
at::Tensor product_in_parts(const at::Tensor& rows, std::int64_t outputs, const Fill& fill) {
  at::Tensor results = at::empty({rows.size(0), outputs}, rows.options());
  for (std::int64_t first = 0; first < outputs; first += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, outputs - first);
    results.narrow(1, first, count).copy_(rows.mm(fill(first, count).t()));
  }
  return results;
}

at::Tensor grouped_product_on_host(const at::Tensor& rows, const GroupedWeight& weight) {
  const at::Tensor values = weight.values.contiguous();
  const at::Tensor scales = weight.scales.to(at::kFloat).contiguous();
  const at::Tensor zeros = weight.zeros ? weight.zeros->contiguous() : at::Tensor();
  const std::int64_t outputs = values.size(0);
  const at::Tensor part = at::empty({std::min(kRowsAtOnce, outputs), weight.columns}, scales.options());
  auto* const out = part.mutable_data_ptr<float>();
  return product_in_parts(rows, outputs, [&](std::int64_t first, std::int64_t count) {
    at::parallel_for(0, count, 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto* row = static_cast<const std::byte*>(values.const_data_ptr()) + (first + i) * values.size(1);
        const std::int64_t at = (first + i) * scales.size(1);
        dequantize_row(
            {row, static_cast<int>(weight.bits), weight.columns, weight.group, scales.const_data_ptr<float>() + at,
             zeros.defined() ? zeros.const_data_ptr<std::uint8_t>() + at : nullptr},
            out + i * weight.columns);
      }
    });
    return part.narrow(0, 0, count);
  });
}

/// [out, in] in the input's type, by LibTorch's operators.
at::Tensor dequantized(const GroupedWeight& weight, at::ScalarType dtype) {
  at::Tensor values = weight.values;
  if (weight.bits == 4) {
    values = at::stack({values.bitwise_and(15), values.bitwise_right_shift(4)}, -1).view({values.size(0), -1});
    values = values.narrow(1, 0, weight.columns);
  }
  const std::int64_t groups = weight.scales.size(1);
  const at::Tensor filled = at::constant_pad_nd(values, {0, groups * weight.group - weight.columns}).to(dtype);
  at::Tensor parts = filled.view({values.size(0), groups, weight.group});
  if (weight.zeros) {
    parts = parts.sub(weight.zeros->to(dtype).unsqueeze(-1));
  } else if (weight.bits == 4) {
    parts = parts.sub(8);
  }
  return parts.mul(weight.scales.to(dtype).unsqueeze(-1)).view({values.size(0), -1}).narrow(1, 0, weight.columns);
}

at::Tensor grouped_linear(const at::Tensor& input, const at::Tensor& values, const at::Tensor& scales,
                          const OptionalTensor& zeros, const OptionalTensor& bias, std::int64_t bits,
                          std::int64_t group) {
  const GroupedWeight weight{values, scales, zeros, bits, group, input.size(-1)};
  check(weight);
  const at::Tensor rows = input.reshape({-1, weight.columns});
  at::Tensor results = input.is_cpu() ? grouped_product_on_host(rows.to(at::kFloat), weight)
                                      : rows.mm(dequantized(weight, input.scalar_type()).t());
  if (bias) results.add_(*bias);
  std::vector<std::int64_t> shape = input.sizes().vec();
  shape.back() = values.size(0);
  return results.to(input.scalar_type()).view(shape);
}

// --- e4m3 by rows ---
std::tuple<at::Tensor, at::Tensor> fp8_row_quantize(const at::Tensor& input) {
  const at::Tensor rows = input.to(at::kFloat);
  const at::Tensor scales = divided(rows.abs().amax({-1}), kLargestE4M3);
  const at::Tensor values = rows.div(divisors(scales)).clamp(-kLargestE4M3, kLargestE4M3).to(at::kFloat8_e4m3fn);
  return {values.contiguous(), scales.flatten()};
}

// --- with a scale that was found before ---
std::tuple<at::Tensor, at::Tensor> static_quantize(const at::Tensor& input, const at::Tensor& step,
                                                   std::optional<at::ScalarType> dtype) {
  const at::ScalarType type = dtype.value_or(at::kChar);
  const bool integers = type == at::kChar;
  TORCH_CHECK(step.numel() == 1 && input.dim() >= 1 && (integers || type == at::kFloat8_e4m3fn),
              "rows, one step, and int8 or float8_e4m3fn");
  const at::Tensor size = step.to(at::kFloat).reshape({});
  at::Tensor steps = input.to(at::kFloat).div(size);
  if (integers) {
    steps.round_().clamp_(-128, 127);
  } else {
    steps.clamp_(-kLargestE4M3, kLargestE4M3);
  }
  // int8 products take the largest magnitude for a scale, which is 127 steps.
  const at::Tensor scale = size.mul(integers ? 127.0 : 1.0);
  const std::int64_t rows = input.size(-1) == 0 ? 0 : input.numel() / input.size(-1);
  return {steps.to(type).contiguous(), scale.expand({rows}).contiguous()};
}

/// torch._scaled_mm by rows gives bf16.
bool takes_scaled_mm(const at::Tensor& rows, const at::Tensor& weight) {
  return !rows.is_cpu() && scaled_mm_takes_fp8({rows.size(0), rows.size(1), weight.size(0)});
}

at::Tensor fp8_linear(const at::Tensor& values, const at::Tensor& weight, const at::Tensor& scales,
                      const at::Tensor& weight_scales, const OptionalTensor& bias,
                      std::optional<at::ScalarType> dtype) {
  const std::int64_t columns = values.size(-1);
  TORCH_CHECK(weight.dim() == 2 && weight.size(1) == columns && weight_scales.numel() == weight.size(0),
              "a product of ", values.sizes(), " and ", weight.sizes(), " with scales of ", weight_scales.sizes());
  const at::Tensor rows = values.reshape({-1, columns});
  const at::Tensor row_scales = scales.view({-1, 1});
  const at::Tensor column_scales = weight_scales.view({1, -1});
  at::Tensor results;
  if (takes_scaled_mm(rows, weight)) {
    results = at::_scaled_mm(rows, weight.t(), row_scales, column_scales, std::nullopt, std::nullopt, at::kBFloat16);
  } else {
    const auto part = [&](std::int64_t first, std::int64_t count) {
      return weight.narrow(0, first, count).to(at::kFloat);
    };
    results = product_in_parts(rows.to(at::kFloat), weight.size(0), part).mul_(row_scales).mul_(column_scales);
  }
  if (bias) results.add_(*bias);
  std::vector<std::int64_t> shape = values.sizes().vec();
  shape.back() = weight.size(0);
  return results.to(dtype.value_or(at::kHalf)).view(shape);
}

torch::Library low_bit_operators() {
  torch::Library own(torch::Library::FRAGMENT, "nongemm", std::nullopt, __FILE__, __LINE__);
  own.def("group_quantize(Tensor weight, int bits, int group) -> (Tensor values, Tensor scales)");
  own.def(
      "grouped_linear(Tensor input, Tensor weight, Tensor scales, Tensor? zeros=None, Tensor? bias=None, *, int bits, "
      "int group) -> Tensor");
  own.def("unpack_words(Tensor words, int bits, int dim, int[] order) -> Tensor");
  own.def("pack_pairs(Tensor levels) -> Tensor");
  own.def("static_quantize(Tensor input, Tensor step, *, ScalarType? dtype=None) -> (Tensor values, Tensor scales)");
  own.def("fp8_row_quantize(Tensor input) -> (Tensor values, Tensor scales)");
  own.def(
      "fp8_linear(Tensor values, Tensor weight, Tensor scales, Tensor weight_scales, Tensor? bias=None, *, "
      "ScalarType? dtype=None) -> Tensor");
  const auto kernel = [&](const char* name, auto function) {
    own.impl(name, c10::DispatchKey::CompositeExplicitAutograd, torch::CppFunction::makeFromUnboxedFunction(function));
  };
  kernel("group_quantize", group_quantize);
  kernel("grouped_linear", grouped_linear);
  kernel("unpack_words", unpack_words);
  kernel("pack_pairs", pack_pairs);
  kernel("static_quantize", static_quantize);
  kernel("fp8_row_quantize", fp8_row_quantize);
  kernel("fp8_linear", fp8_linear);
  return own;
}

}  // namespace

void register_low_bit_operators() { static const torch::Library own = low_bit_operators(); }

}  // namespace nongemm::torch_flow
