// ONNX rules of normalization.cpp. Decomposed forms follow the sequences that runtimes recognise.
#include <limits>
#include <numeric>

#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;

const Type& self(const OnnxLowering& onnx) { return onnx.operands().tensor(0); }

/// The last dimensions, as many as the normalized shape has.
std::vector<std::int64_t> last_dimensions(const OnnxLowering& onnx) {
  std::vector<std::int64_t> axes(onnx.operands().integers(1).size());
  std::iota(axes.begin(), axes.end(), -static_cast<std::int64_t>(axes.size()));
  return axes;
}

/// An optional parameter, `otherwise` where there is none.
Name parameter(OnnxLowering& onnx, std::size_t i, const Shape& shape, double otherwise) {
  if (onnx.operands().has(i)) return onnx.tensor(i);
  return filled(onnx, onnx.integer_constants(shape), otherwise, self(onnx).dtype);
}

Name scaled_and_shifted(OnnxLowering& onnx, Name value, std::size_t weight, std::size_t bias) {
  if (onnx.operands().has(weight)) value = onnx.add("Mul", {value, onnx.tensor(weight)});
  if (onnx.operands().has(bias)) value = onnx.add("Add", {value, onnx.tensor(bias)});
  return value;
}

/// value / sqrt(mean(value ^ 2) + eps)
Name divided_by_root_mean_square(OnnxLowering& onnx, const Name& value, const std::vector<std::int64_t>& axes,
                                 double eps, DType dtype) {
  const Name squares = onnx.add("Pow", {value, onnx.scalar(2.0, dtype)});
  const Name variance = onnx.reduce("ReduceMean", squares, axes, true);
  const Name deviation = onnx.add("Sqrt", {onnx.add("Add", {variance, onnx.scalar(eps, dtype)})});
  return onnx.add("Div", {value, deviation});
}

/// A [channels] parameter in the place of dimension 1.
Name per_channel(OnnxLowering& onnx, std::size_t i) {
  std::vector<std::int64_t> axes(onnx.operands().tensor(0, 2).shape.size() - 2);
  std::iota(axes.begin(), axes.end(), std::int64_t{1});
  return axes.empty() ? onnx.tensor(i) : onnx.unsqueeze(onnx.tensor(i), axes);
}

}  // namespace

void layer_norm(OnnxLowering& onnx) {
  const Shape normalized = onnx.operands().integers(1);
  const double eps = onnx.operands().number(4);
  if (onnx.may_use_compound(17)) {
    OnnxLowering::Names inputs = {onnx.tensor(0), parameter(onnx, 2, normalized, 1.0)};
    if (onnx.operands().has(3)) inputs.push_back(onnx.tensor(3));
    const auto axis = -static_cast<std::int64_t>(normalized.size());
    return onnx.result(onnx.add("LayerNormalization", inputs, {{"axis", axis}, {"epsilon", eps}}));
  }
  const DType dtype = self(onnx).dtype;
  const DType wide = accumulation_dtype(dtype);
  const std::vector<std::int64_t> axes = last_dimensions(onnx);
  const Name x = onnx.tensor(0, wide);
  const Name centred = onnx.add("Sub", {x, onnx.reduce("ReduceMean", x, axes, true)});
  const Name value = onnx.cast(divided_by_root_mean_square(onnx, centred, axes, eps, wide), wide, dtype);
  onnx.result(scaled_and_shifted(onnx, value, 2, 3));
}

void rms_norm(OnnxLowering& onnx) {
  const DType dtype = self(onnx).dtype;
  const DType wide = accumulation_dtype(dtype);
  const double eps = onnx.operands().has(3) ? onnx.operands().number(3) : std::numeric_limits<float>::epsilon();
  const Name x = onnx.tensor(0, wide);
  const Name value = onnx.cast(divided_by_root_mean_square(onnx, x, last_dimensions(onnx), eps, wide), wide, dtype);
  onnx.result(onnx.operands().has(2) ? onnx.add("Mul", {value, onnx.tensor(2)}) : value);
}

/// Groups are the channels of an instance normalization; scale and shift are per channel, after it.
void group_norm(OnnxLowering& onnx) {
  const Shape& shape = onnx.operands().tensor(0, 2).shape;
  const std::int64_t groups = onnx.operands().integer(1);
  const DType dtype = self(onnx).dtype;
  if (shape[0] == kDynamic) onnx.unsupported("a batch whose size only the run knows");
  const Name ones = filled(onnx, onnx.integer_constants({groups}), 1.0, dtype);
  const Name zeros = filled(onnx, onnx.integer_constants({groups}), 0.0, dtype);
  const Name grouped = onnx.reshape(onnx.tensor(0), {shape[0], groups, -1});
  const double eps = onnx.operands().number(4);
  const Name normalized = onnx.add("InstanceNormalization", {grouped, ones, zeros}, {{"epsilon", eps}});
  Name value = onnx.reshape(normalized, shape);
  if (onnx.operands().has(2)) value = onnx.add("Mul", {value, per_channel(onnx, 2)});
  if (onnx.operands().has(3)) value = onnx.add("Add", {value, per_channel(onnx, 3)});
  onnx.result(value);
}

void batch_norm(OnnxLowering& onnx) {
  if (onnx.operands().flag(5)) onnx.unsupported("training");
  const Shape channels = {self(onnx).shape.at(1)};
  onnx.result(onnx.add("BatchNormalization",
                       {onnx.tensor(0), parameter(onnx, 1, channels, 1.0), parameter(onnx, 2, channels, 0.0),
                        parameter(onnx, 3, channels, 0.0), parameter(onnx, 4, channels, 1.0)},
                       {{"epsilon", onnx.operands().number(7)}}));
}

void instance_norm(OnnxLowering& onnx) {
  if (!onnx.operands().flag(5)) onnx.unsupported("recorded statistics in an instance normalization");
  const Shape channels = {self(onnx).shape.at(1)};
  onnx.result(onnx.add("InstanceNormalization",
                       {onnx.tensor(0), parameter(onnx, 1, channels, 1.0), parameter(onnx, 2, channels, 0.0)},
                       {{"epsilon", onnx.operands().number(7)}}));
}

}  // namespace nongemm::onnx_rules
