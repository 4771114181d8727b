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

/// One number per spatial dimension; a single one stands for all, none for `if_empty`.
template <std::size_t kSpatial>
std::vector<std::int64_t> per_dimension(const Operands& operands, std::size_t arg,
                                        const std::vector<std::int64_t>& if_empty) {
  std::vector<std::int64_t> values = operands.integers(arg);
  if (values.empty()) return if_empty;
  if (values.size() == 1) values.resize(kSpatial, values[0]);
  if (values.size() == kSpatial) return values;
  throw Error(ErrorKind::kBadInput, operands.node().op + ": " + std::to_string(values.size()) + " numbers for " +
                                        std::to_string(kSpatial) + " dimensions");
}

/// Windows that slide: (self, kernel, stride, padding, ...).
template <std::size_t kSpatial>
struct Windows {
  std::vector<std::int64_t> kernel;
  std::vector<std::int64_t> stride;
  std::vector<std::int64_t> padding;
  std::vector<std::int64_t> dilation;
  bool ceil_mode = false;

  explicit Windows(const Operands& operands) {
    const std::vector<std::int64_t> ones(kSpatial, 1);
    kernel = per_dimension<kSpatial>(operands, 1, ones);
    stride = per_dimension<kSpatial>(operands, 2, kernel);
    padding = per_dimension<kSpatial>(operands, 3, std::vector<std::int64_t>(kSpatial, 0));
    const int dilated = operands.schema().find_arg("dilation");
    dilation = dilated < 0 ? ones : per_dimension<kSpatial>(operands, static_cast<std::size_t>(dilated), ones);
    ceil_mode = operands.flag(operands.position("ceil_mode"));
  }
};

/// Gives a pooled map the memory order of its operand.
void lay_like(const Type& self, Type& result) {
  if (result.shape.size() != 4 || self.strides.empty() || self.strides[1] != 1) return;
  lay_channels_last(result);
}

template <std::size_t kSpatial>
std::vector<Type> infer_windows(const Operands& operands) {
  const Type& self = operands.tensor(0, kSpatial);
  const Windows<kSpatial> windows(operands);
  Type result = tensor_type(self.dtype, self.shape);
  const std::size_t first = self.shape.size() - kSpatial;
  for (std::size_t i = 0; i < kSpatial; ++i) {
    std::int64_t& size = result.shape[first + i];
    size =
        pooled(size, windows.kernel[i], windows.stride[i], windows.padding[i], windows.dilation[i], windows.ceil_mode);
  }
  lay_like(self, result);
  return {result};
}

/// PyTorch averages lines as maps of one row: they keep that order in memory, too.
std::vector<Type> infer_average_lines(const Operands& operands) {
  const Type& self = operands.tensor(0, 1);
  Type result = infer_windows<1>(operands)[0];
  const Shape& shape = result.shape;
  if (shape.size() == 3 && !self.strides.empty() && self.strides[1] == 1) {
    result.strides = {shape[1] * shape[2], 1, shape[1]};
    if (is_contiguous(result)) result.strides.clear();
  }
  return {result};
}

/// The largest value of each window, and where it stands in its map.
template <std::size_t kSpatial>
std::vector<Type> infer_with_indices(const Operands& operands) {
  const Type result = infer_windows<kSpatial>(operands)[0];
  Type indices = result;
  indices.dtype = DType::kInt64;
  return {result, indices};
}

template <std::size_t kSpatial>
std::vector<Type> infer_adaptive(const Operands& operands) {
  const std::vector<std::int64_t> size = per_dimension<kSpatial>(operands, 1, {});
  const Type& self = operands.tensor(0, kSpatial);
  Type result = tensor_type(self.dtype, self.shape);
  for (std::size_t i = 0; i < size.size(); ++i) result.shape[self.shape.size() - size.size() + i] = size[i];
  // A mean over everything (1 x 1) of a channels-last input comes out channels-last.
  lay_like(self, result);
  return {result};
}

/// Every element of the result takes its whole window, padding included: one comparison or addition each.
template <std::size_t kSpatial>
Cost cost_windows(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  double window = 1;
  for (const std::int64_t size : Windows<kSpatial>(operands).kernel) window *= static_cast<double>(size);
  cost.flops = count_of(results[0]) * window;
  return cost;
}

/// Windows that divide a map as evenly as they can: the i-th of n over `size` elements goes from floor(i size / n) to
/// ceil((i + 1) size / n), so that neighbours may overlap.
template <std::size_t kSpatial>
Cost cost_adaptive(const Operands& operands, std::span<const Type> results) {
  Cost cost = traffic(operands, results);
  const Shape& from = operands.tensor(0).shape;
  const Shape& to = results[0].shape;
  const std::size_t spatial = to.size() - kSpatial;
  double visited = 1;
  for (std::size_t i = 0; i < to.size(); ++i) {
    if (from[i] == kDynamic || to[i] == kDynamic) visited = kUnknownWork;
    double along = i < spatial ? static_cast<double>(to[i]) : 0.0;
    for (std::int64_t at = 0; i >= spatial && at < to[i]; ++at) {
      const std::int64_t begin = at * from[i] / to[i];
      const std::int64_t end = ((at + 1) * from[i] + to[i] - 1) / to[i];
      along += static_cast<double>(end - begin);
    }
    visited *= along;
  }
  cost.flops = visited;
  return cost;
}

// --- ONNX ---

/// ONNX pools batches only: PyTorch takes single images, too.
template <std::size_t kSpatial>
OnnxLowering::Names pool(OnnxLowering& onnx, std::string_view type, std::size_t results,
                         OnnxLowering::Attributes more) {
  const Windows<kSpatial> windows(onnx.operands());
  std::vector<std::int64_t> pads = windows.padding;
  pads.insert(pads.end(), windows.padding.begin(), windows.padding.end());
  OnnxLowering::Attributes attributes = {{"kernel_shape", windows.kernel},
                                         {"strides", windows.stride},
                                         {"pads", pads},
                                         {"ceil_mode", std::int64_t{windows.ceil_mode}}};
  attributes.insert(attributes.end(), more.begin(), more.end());
  const bool batched = onnx.operands().tensor(0).shape.size() == kSpatial + 2;
  const OnnxLowering::Name x = batched ? onnx.tensor(0) : onnx.unsqueeze(onnx.tensor(0), 0);
  OnnxLowering::Names values = onnx.add_many(type, {x}, results, attributes);
  for (OnnxLowering::Name& value : values) value = batched ? value : onnx.squeeze(value, 0);
  return values;
}

template <std::size_t kSpatial>
void max_pool(OnnxLowering& onnx) {
  onnx.result(pool<kSpatial>(onnx, "MaxPool", 1, {{"dilations", Windows<kSpatial>(onnx.operands()).dilation}})[0]);
}

/// ONNX counts positions over the whole tensor, PyTorch within each map.
template <std::size_t kSpatial>
void max_pool_with_indices(OnnxLowering& onnx) {
  const Shape& shape = onnx.operands().tensor(0, kSpatial).shape;
  std::int64_t map = 1;
  for (std::size_t i = shape.size() - kSpatial; i < shape.size(); ++i) {
    if (shape[i] == kDynamic) onnx.unsupported("positions in a map whose size only the run knows");
    map *= shape[i];
  }
  const OnnxLowering::Names both =
      pool<kSpatial>(onnx, "MaxPool", 2, {{"dilations", Windows<kSpatial>(onnx.operands()).dilation}});
  onnx.result(both[0]);
  onnx.result(onnx.add("Mod", {both[1], onnx.integer_constant(map)}));
}

template <std::size_t kSpatial>
void average_pool(OnnxLowering& onnx) {
  const int divisor = onnx.operands().schema().find_arg("divisor_override");
  if (divisor >= 0 && onnx.operands().has(static_cast<std::size_t>(divisor))) {
    onnx.unsupported("an average over another number than that of elements");
  }
  const bool padding = onnx.operands().flag(onnx.operands().position("count_include_pad"));
  onnx.result(pool<kSpatial>(onnx, "AveragePool", 1, {{"count_include_pad", std::int64_t{padding}}})[0]);
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

constexpr OpEntry entry(std::string_view schema, std::string_view variant, InferRule infer, CostRule cost,
                        LowerRule lower) {
  return {.schema = schema,
          .group = Group::kPooling,
          .variant = variant,
          .traits = {.single_operation = true, .single_operand = true, .reduction = true},
          .infer = infer,
          .cost = cost,
          .lower = lower};
}

constexpr std::array kEntries = {
    entry("aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, int[1] dilation=1, "
          "bool ceil_mode=False) -> Tensor",
          "MaxPool1d", infer_windows<1>, cost_windows<1>, max_pool<1>),
    entry("aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, "
          "bool ceil_mode=False) -> Tensor",
          "MaxPool2d", infer_windows<2>, cost_windows<2>, max_pool<2>),
    entry("aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, "
          "bool ceil_mode=False) -> Tensor",
          "MaxPool3d", infer_windows<3>, cost_windows<3>, max_pool<3>),
    entry("aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
          "int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
          "MaxPool2d", infer_with_indices<2>, cost_windows<2>, max_pool_with_indices<2>),
    entry("aten::max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
          "int[3] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
          "MaxPool3d", infer_with_indices<3>, cost_windows<3>, max_pool_with_indices<3>),
    entry("aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, "
          "bool ceil_mode=False, bool count_include_pad=True) -> Tensor",
          "AvgPool1d", infer_average_lines, cost_windows<1>, average_pool<1>),
    entry("aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
          "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
          "AvgPool2d", infer_windows<2>, cost_windows<2>, average_pool<2>),
    entry("aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
          "bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
          "AvgPool3d", infer_windows<3>, cost_windows<3>, average_pool<3>),
    entry("aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", "AdaptiveAvgPool1d",
          infer_adaptive<1>, cost_adaptive<1>, adaptive_average_pool),
    entry("aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", "AdaptiveAvgPool2d",
          infer_adaptive<2>, cost_adaptive<2>, adaptive_average_pool),
    entry("aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", "AdaptiveAvgPool3d",
          infer_adaptive<3>, cost_adaptive<3>, adaptive_average_pool),
    entry("aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", "AdaptiveAvgPool2d",
          infer_adaptive<2>, cost_adaptive<2>, adaptive_average_pool),
    entry("aten::_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", "AdaptiveAvgPool3d",
          infer_adaptive<3>, cost_adaptive<3>, adaptive_average_pool),
};

}  // namespace

std::span<const OpEntry> pooling_entries() { return kEntries; }

}  // namespace nongemm
