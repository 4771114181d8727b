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

/// Groups are the channels of an instance normalization; scale and shift are per channel, after it.
/// @param weight the argument that scales; the one after it shifts
void normalize_groups(OnnxLowering& onnx, std::int64_t groups, double eps, std::size_t weight) {
  const Shape& shape = onnx.operands().tensor(0, 2).shape;
  const DType dtype = self(onnx).dtype;
  if (shape[0] == kDynamic) onnx.unsupported("a batch whose size only the run knows");
  const Name ones = filled(onnx, onnx.integer_constants({groups}), 1.0, dtype);
  const Name zeros = filled(onnx, onnx.integer_constants({groups}), 0.0, dtype);
  const Name grouped = onnx.reshape(onnx.tensor(0), {shape[0], groups, -1});
  const Name normalized = onnx.add("InstanceNormalization", {grouped, ones, zeros}, {{"epsilon", eps}});
  Name value = onnx.reshape(normalized, shape);
  if (onnx.operands().has(weight)) value = onnx.add("Mul", {value, per_channel(onnx, weight)});
  if (onnx.operands().has(weight + 1)) value = onnx.add("Add", {value, per_channel(onnx, weight + 1)});
  onnx.result(value);
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

namespace {

/// Mean and reciprocal deviation over `axes`, as the second and third result.
void give_statistics(OnnxLowering& onnx, const Name& value, const std::vector<std::int64_t>& axes, double eps,
                     bool keep) {
  const DType dtype = self(onnx).dtype;
  const DType wide = accumulation_dtype(dtype);
  const Name x = onnx.cast(value, dtype, wide);
  const Name centred = onnx.add("Sub", {x, onnx.reduce("ReduceMean", x, axes, true)});
  const Name squares = onnx.add("Mul", {centred, centred});
  const Name shifted = onnx.add("Add", {onnx.reduce("ReduceMean", squares, axes, keep), onnx.scalar(eps, wide)});
  onnx.result(onnx.cast(onnx.reduce("ReduceMean", x, axes, keep), wide, onnx.result_type(1).dtype));
  onnx.result(onnx.cast(onnx.add("Reciprocal", {onnx.add("Sqrt", {shifted})}), wide, onnx.result_type(2).dtype));
}

}  // namespace

void native_layer_norm(OnnxLowering& onnx) {
  layer_norm(onnx);
  give_statistics(onnx, onnx.tensor(0), last_dimensions(onnx), onnx.operands().number(4), true);
}

void native_group_norm(OnnxLowering& onnx) {
  const std::int64_t groups = onnx.operands().integer(6);
  const double eps = onnx.operands().number(7);
  normalize_groups(onnx, groups, eps, 1);
  const Name grouped = onnx.reshape(onnx.tensor(0), {self(onnx).shape.at(0), groups, -1});
  give_statistics(onnx, grouped, {2}, eps, false);
}

/// With recorded statistics, or with those of the data.
void native_batch_norm(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const int training = operands.schema().find_arg("training");
  const Shape& shape = operands.tensor(0, 2).shape;
  const double eps = operands.number(operands.position("eps"));
  if (training < 0 || !operands.flag(static_cast<std::size_t>(training))) {
    const Shape channels = {shape[1]};
    onnx.result(
        onnx.add("BatchNormalization",
                 {onnx.tensor(0), parameter(onnx, 1, channels, 1.0), parameter(onnx, 2, channels, 0.0),
                  onnx.tensor(operands.position("running_mean")), onnx.tensor(operands.position("running_var"))},
                 {{"epsilon", eps}}));
    for (std::size_t i = 1; i < onnx.result_count(); ++i) {
      onnx.result(filled(onnx, onnx.integer_constants({0}), 0.0, onnx.result_type(i).dtype));
    }
    return;
  }
  if (operands.schema().writes()) onnx.unsupported("statistics that are written");
  const DType dtype = self(onnx).dtype;
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i != 1) axes.push_back(static_cast<std::int64_t>(i));
  }
  const Name x = onnx.tensor(0);
  const Name centred = onnx.add("Sub", {x, onnx.reduce("ReduceMean", x, axes, true)});
  const Name value = divided_by_root_mean_square(onnx, centred, axes, eps, dtype);
  Name result = operands.has(1) ? onnx.add("Mul", {value, per_channel(onnx, 1)}) : value;
  if (operands.has(2)) result = onnx.add("Add", {result, per_channel(onnx, 2)});
  onnx.result(result);
  give_statistics(onnx, x, axes, eps, false);
}

void rms_norm(OnnxLowering& onnx) {
  const DType dtype = self(onnx).dtype;
  const DType wide = accumulation_dtype(dtype);
  const double eps = onnx.operands().has(3) ? onnx.operands().number(3) : std::numeric_limits<float>::epsilon();
  const Name x = onnx.tensor(0, wide);
  const Name value = onnx.cast(divided_by_root_mean_square(onnx, x, last_dimensions(onnx), eps, wide), wide, dtype);
  onnx.result(onnx.operands().has(2) ? onnx.add("Mul", {value, onnx.tensor(2)}) : value);
}

void group_norm(OnnxLowering& onnx) {
  normalize_groups(onnx, onnx.operands().integer(1), onnx.operands().number(4), 2);
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
