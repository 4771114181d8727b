// Pooling: one value per window.
#include <array>

#include "base/error.h"
#include "ops/entries.h"
#include "ops/onnx_rules.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

using namespace rules;

std::int64_t pooled(std::int64_t size, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                    std::int64_t dilation, bool ceil_mode) {
  if (size == kDynamic) return kDynamic;
  if (stride < 1) throw Error(ErrorKind::kBadInput, "a pooling's stride is " + std::to_string(stride));
  const std::int64_t span = size + 2 * padding - dilation * (kernel - 1) - 1;
  std::int64_t count = (span + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  // The last window must start inside the input or its left padding.
  if (ceil_mode && (count - 1) * stride >= size + padding) --count;
  return count;
}

std::vector<Type> windows(const Operands& operands, std::size_t dilation_arg, std::size_t ceil_arg) {
  operands.tensor(0, 2);
  Type result = like_first(operands)[0];
  const auto kernel = operands.pair(1, 1);
  const std::vector<std::int64_t> given = operands.integers(2);
  const auto stride = given.empty() ? kernel : operands.pair(2, 1);
  const auto padding = operands.pair(3, 0);
  const auto dilation = dilation_arg == 0 ? std::vector<std::int64_t>{1, 1} : operands.pair(dilation_arg, 1);
  const std::size_t first = result.shape.size() - 2;
  for (std::size_t i = 0; i < 2; ++i) {
    result.shape[first + i] =
        pooled(result.shape[first + i], kernel[i], stride[i], padding[i], dilation[i], operands.flag(ceil_arg));
  }
  const bool channels_last = result.shape.size() == 4 && !result.strides.empty() && result.strides[1] == 1;
  result.strides.clear();
  if (channels_last) {
    const Shape& s = result.shape;
    result.strides = {s[1] * s[2] * s[3], 1, s[3] * s[1], s[1]};
    if (is_contiguous(result)) result.strides.clear();
  }
  return {result};
}

std::vector<Type> infer_max_pool2d(const Operands& operands) { return windows(operands, 4, 5); }
std::vector<Type> infer_avg_pool2d(const Operands& operands) { return windows(operands, 0, 4); }

std::vector<Type> infer_adaptive(const Operands& operands) {
  const std::vector<std::int64_t> size = operands.integers(1);
  const Type& self = operands.tensor(0, size.size());
  Shape shape = self.shape;
  for (std::size_t i = 0; i < size.size(); ++i) shape[shape.size() - size.size() + i] = size[i];
  Type result = tensor_type(self.dtype, shape);
  // A mean over everything (1 x 1) of a channels-last input comes out channels-last.
  if (shape.size() == 4 && !self.strides.empty() && self.strides[1] == 1) {
    result.strides = {shape[1] * shape[2] * shape[3], 1, shape[3] * shape[1], shape[1]};
    if (is_contiguous(result)) result.strides.clear();
  }
  return {result};
}

// --- ONNX ---
OnnxLowering::Attributes window_attributes(const Operands& operands, std::size_t ceil_arg) {
  const auto kernel = operands.pair(1, 1);
  const auto padding = operands.pair(3, 0);
  return {{"kernel_shape", kernel},
          {"strides", operands.integers(2).empty() ? kernel : operands.pair(2, 1)},
          {"pads", std::vector<std::int64_t>{padding[0], padding[1], padding[0], padding[1]}},
          {"ceil_mode", std::int64_t{operands.flag(ceil_arg)}}};
}

void max_pool(OnnxLowering& onnx) {
  OnnxLowering::Attributes attributes = window_attributes(onnx.operands(), 5);
  attributes.push_back({"dilations", onnx.operands().pair(4, 1)});
  onnx.result(onnx.add("MaxPool", {onnx.tensor(0)}, attributes));
}

void average_pool(OnnxLowering& onnx) {
  if (onnx.operands().has(6)) onnx.unsupported("an average over another number than that of elements");
  OnnxLowering::Attributes attributes = window_attributes(onnx.operands(), 4);
  attributes.push_back({"count_include_pad", std::int64_t{onnx.operands().flag(5)}});
  onnx.result(onnx.add("AveragePool", {onnx.tensor(0)}, attributes));
}

/// Windows of one size where the sizes divide; ONNX has no windows of different sizes.
void adaptive_average_pool(OnnxLowering& onnx) {
  const std::vector<std::int64_t> size = onnx.operands().integers(1);
  const Shape& from = onnx.operands().tensor(0, size.size()).shape;
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> axes;
  bool whole = true;
  for (std::size_t i = 0; i < size.size(); ++i) {
    const std::int64_t extent = from[from.size() - size.size() + i];
    whole = whole && size[i] == 1;
    if (size[i] != 1 && (extent == kDynamic || size[i] <= 0 || extent % size[i] != 0)) {
      onnx.unsupported("an average over windows of different sizes");
    }
    kernel.push_back(extent / size[i]);
    axes.push_back(static_cast<std::int64_t>(i) - static_cast<std::int64_t>(size.size()));
  }
  if (!whole && from.size() != size.size() + 2) onnx.unsupported("no batch dimension");
  if (whole) return onnx.result(onnx.reduce("ReduceMean", onnx.tensor(0), axes, true));
  onnx.result(onnx.add("AveragePool", {onnx.tensor(0)}, {{"kernel_shape", kernel}, {"strides", kernel}}));
}

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, LowerRule lower) {
  return {.schema = schema,
          .group = Group::kPooling,
          .variant = variant,
          .traits = {.single_operation = true, .single_operand = true, .reduction = true},
          .infer = infer,
          .cost = per_input<1>,
          .lower = lower};
}

constexpr std::array kEntries = {
    entry("aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, "
          "bool ceil_mode=False) -> Tensor",
          "MaxPool2d", infer_max_pool2d, max_pool),
    entry("aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
          "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
          "AvgPool2d", infer_avg_pool2d, average_pool),
    entry("aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", "AdaptiveAvgPool2d",
          infer_adaptive, adaptive_average_pool),
    entry("aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", "AdaptiveAvgPool1d", infer_adaptive,
          adaptive_average_pool),
};

}  // namespace

std::span<const OpEntry> pooling_entries() { return kEntries; }

}  // namespace nongemm
