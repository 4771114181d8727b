// Convolutions: products by im2col. Paper II-A1. input [n, c, spatial...] or without n, weight
// [out, c / groups, kernel...], or [in, out / groups, kernel...] where they are transposed.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/products.h"

namespace nongemm {
namespace {

using namespace rules;
using namespace products;

/// One number per spatial dimension; a single one stands for all.
std::vector<std::int64_t> per_dimension(const Operands& operands, std::string_view arg, std::size_t count) {
  std::vector<std::int64_t> values = operands.integers(operands.position(arg));
  if (values.size() == 1) values.resize(count, values[0]);
  if (values.size() != count) {
    throw Error(ErrorKind::kBadInput, operands.node().op + ": " + std::to_string(values.size()) + " numbers for " +
                                          std::to_string(count) + " dimensions");
  }
  return values;
}

struct Window {
  std::vector<std::int64_t> stride;
  std::vector<std::int64_t> padding;  // at both sides together
  std::vector<std::int64_t> dilation;
};

Window window_of(const Operands& operands, std::size_t spatial) {
  Window window{per_dimension(operands, "stride", spatial), {}, per_dimension(operands, "dilation", spatial)};
  for (const std::int64_t stride : window.stride) {
    if (stride < 1) throw Error(ErrorKind::kBadInput, "a convolution's stride is " + std::to_string(stride));
  }
  if (std::holds_alternative<std::string>(operands.raw(operands.position("padding")))) {
    window.padding = onnx_rules::padding_by_name(operands, window.dilation);
    return window;
  }
  window.padding = per_dimension(operands, "padding", spatial);
  for (std::int64_t& size : window.padding) size *= 2;
  return window;
}

/// The input's dimensions before the spatial ones: [n, c], or [c] of a single image.
std::size_t leading(const Operands& operands, const Type& input, std::size_t spatial) {
  if (input.shape.size() == spatial + 1 || input.shape.size() == spatial + 2) return input.shape.size() - spatial;
  throw Error(ErrorKind::kBadInput, operands.node().op + ": the input " + to_string(input.shape) + " has not " +
                                        std::to_string(spatial) + " spatial dimensions");
}

Type laid_out(const Type& input, Shape shape) {
  Type result = tensor_type(input.dtype, std::move(shape));
  if (is_channels_last(input)) lay_channels_last(result);
  return result;
}

std::vector<Type> infer_conv(const Operands& operands) {
  const Type& input = operands.tensor(0);
  const Type& weight = operands.tensor(1, 3);
  const std::size_t spatial = weight.shape.size() - 2;
  const std::size_t first = leading(operands, input, spatial);
  check_inner(operands, input.shape[first - 1], weight.shape[1] * operands.integer(operands.position("groups")));
  const Window window = window_of(operands, spatial);
  Shape shape = input.shape;
  shape[first - 1] = weight.shape[0];
  for (std::size_t i = 0; i < spatial; ++i) {
    std::int64_t& size = shape[first + i];
    if (size == kDynamic) continue;
    size = (size + window.padding[i] - window.dilation[i] * (weight.shape[2 + i] - 1) - 1) / window.stride[i] + 1;
  }
  return {laid_out(input, shape)};
}

std::vector<Type> infer_transposed(const Operands& operands) {
  const Type& input = operands.tensor(0);
  const Type& weight = operands.tensor(1, 3);
  const std::size_t spatial = weight.shape.size() - 2;
  const std::size_t first = leading(operands, input, spatial);
  check_inner(operands, input.shape[first - 1], weight.shape[0]);
  const Window window = window_of(operands, spatial);
  const auto extra = per_dimension(operands, "output_padding", spatial);
  Shape shape = input.shape;
  shape[first - 1] = weight.shape[1] * operands.integer(operands.position("groups"));
  for (std::size_t i = 0; i < spatial; ++i) {
    std::int64_t& size = shape[first + i];
    if (size == kDynamic) continue;
    size = (size - 1) * window.stride[i] - window.padding[i] + window.dilation[i] * (weight.shape[2 + i] - 1) +
           extra[i] + 1;
  }
  return {laid_out(input, shape)};
}

/// Each element of the result is a sum over its window, as if the padding were read as well.
Cost cost_conv(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Type& weight = operands.tensor(1, 1);
  const double window = count_of(weight) / known(weight.shape[0]);
  cost.flops = count_of(results[0]) * (2.0 * window + (operands.has(2) ? 1.0 : 0.0));
  return cost;
}

/// Each element of the input is multiplied by all weights of its channel.
Cost cost_transposed(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Type& weight = operands.tensor(1, 1);
  cost.flops = 2.0 * count_of(operands.tensor(0)) * count_of(weight) / known(weight.shape[0]);
  if (operands.has(2)) cost.flops += count_of(results[0]);
  return cost;
}

// --- convolution: what all of the others become in a decomposed program ---
bool is_transposed(const Operands& operands) { return operands.flag(operands.position("transposed")); }

std::vector<Type> infer_any(const Operands& operands) {
  return is_transposed(operands) ? infer_transposed(operands) : infer_conv(operands);
}

Cost cost_any(const Operands& operands, std::span<const Type> results) {
  return is_transposed(operands) ? cost_transposed(operands, results) : cost_conv(operands, results);
}

void lower_any(OnnxLowering& onnx) {
  is_transposed(onnx.operands()) ? onnx_rules::transposed_convolution(onnx) : onnx_rules::convolution(onnx);
}

constexpr std::array kEntries = {
    entry("aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, SymInt[1] padding=0, "
          "SymInt[1] dilation=1, SymInt groups=1) -> Tensor",
          "Conv1d", infer_conv, cost_conv, onnx_rules::convolution),
    entry("aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, "
          "str padding=\"valid\", SymInt[1] dilation=1, SymInt groups=1) -> Tensor",
          "Conv1d", infer_conv, cost_conv, onnx_rules::convolution),
    entry("aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, SymInt[2] padding=0, "
          "SymInt[2] dilation=1, SymInt groups=1) -> Tensor",
          "Conv2d", infer_conv, cost_conv, onnx_rules::convolution),
    entry("aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, "
          "str padding=\"valid\", SymInt[2] dilation=1, SymInt groups=1) -> Tensor",
          "Conv2d", infer_conv, cost_conv, onnx_rules::convolution),
    entry("aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, SymInt[3] padding=0, "
          "SymInt[3] dilation=1, SymInt groups=1) -> Tensor",
          "Conv3d", infer_conv, cost_conv, onnx_rules::convolution),
    entry("aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, "
          "str padding=\"valid\", SymInt[3] dilation=1, SymInt groups=1) -> Tensor",
          "Conv3d", infer_conv, cost_conv, onnx_rules::convolution),
    entry("aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
          "SymInt[] dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
          "Convolution", infer_any, cost_any, lower_any),
    entry("aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, "
          "SymInt[1] padding=0, SymInt[1] output_padding=0, SymInt groups=1, SymInt[1] dilation=1) -> Tensor",
          "ConvTranspose1d", infer_transposed, cost_transposed, onnx_rules::transposed_convolution),
    entry("aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, "
          "SymInt[2] padding=0, SymInt[2] output_padding=0, SymInt groups=1, SymInt[2] dilation=1) -> Tensor",
          "ConvTranspose2d", infer_transposed, cost_transposed, onnx_rules::transposed_convolution),
    entry("aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, "
          "SymInt[3] padding=0, SymInt[3] output_padding=0, SymInt groups=1, SymInt[3] dilation=1) -> Tensor",
          "ConvTranspose3d", infer_transposed, cost_transposed, onnx_rules::transposed_convolution),
};

}  // namespace

std::span<const OpEntry> convolution_entries() { return kEntries; }

}  // namespace nongemm
