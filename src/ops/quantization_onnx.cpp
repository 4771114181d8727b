// ONNX rules of quantization.cpp, as the runtimes' own tools write quantized models.
#include "ops/quantization_onnx.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;
using Names = OnnxLowering::Names;

Name in_single(OnnxLowering& onnx, Name value, DType from) {
  return from == DType::kFloat32 ? value : onnx.cast(std::move(value), from, DType::kFloat32);
}

constexpr std::string_view kRowQuantize = "nongemm.int8_row_quantize.default";
constexpr std::string_view kStaticQuantize = "nongemm.static_quantize.default";

/// What made the rows: never nullptr.
const Node* producer_of_rows(OnnxLowering& onnx) {
  const Graph& graph = onnx.operands().graph();
  const auto* values = std::get_if<Use>(&onnx.operands().node().args.at(0));
  const NodeId producer = values != nullptr ? graph.values[values->value].producer : kNoId;
  const Node* node = producer != kNoId ? &graph.nodes[producer] : nullptr;
  if (node == nullptr || (node->op != kRowQuantize && node->op != kStaticQuantize)) {
    onnx.unsupported("int8 values that are not made from a tensor right before");
  }
  return node;
}

/// DynamicQuantizeLinear and MatMulInteger, in the order in which ONNX Runtime knows them as one operator.
Name dynamic_product(OnnxLowering& onnx, ValueId source) {
  const DType dtype = onnx.operands().graph().values[source].type.dtype;
  const Names rows = onnx.add_many("DynamicQuantizeLinear", {in_single(onnx, onnx.value(source), dtype)}, 3);
  const Name sums = onnx.add("MatMulInteger", {rows[0], onnx.transposed(1), rows[2]});
  // A weight's scale is its row's largest magnitude, which is 127 steps.
  const Name steps = onnx.add("Mul", {onnx.tensor(3), onnx.scalar(1.0 / 127.0, DType::kFloat32)});
  const Name scales = onnx.add("Mul", {rows[1], steps});
  return onnx.add("Mul", {onnx.cast(sums, DType::kInt32, DType::kFloat32), scales});
}

/// A weight in int8 as numbers, with `count` scales along an axis. TensorRT 8 does without zero points nowhere.
Name dequantized_weight(OnnxLowering& onnx, Name values, Name scales, std::int64_t count, std::int64_t axis) {
  const std::vector<std::int8_t> zeros(static_cast<std::size_t>(count));
  const Name zero_points = onnx.constant(HostTensor::from(DType::kInt8, {count}, zeros));
  return onnx.add("DequantizeLinear", {std::move(values), std::move(scales), zero_points}, {{"axis", axis}});
}

/// The same layer in numbers that stand for int8: TensorRT and ONNX Runtime take DequantizeLinear into the product. One
/// scale for the values, one for each column of the weight, zero points of 0: what TensorRT has.
Name dequantized_product(OnnxLowering& onnx, const Node& quantize) {
  const Name step = onnx.value(std::get<Use>(quantize.args.at(1)).value);
  const Name values = onnx.add("DequantizeLinear", {onnx.tensor(0), step, onnx.scalar(0, DType::kInt8)});
  Name steps = onnx.add("Mul", {onnx.tensor(3), onnx.scalar(1.0 / 127.0, DType::kFloat32)});
  // A row of zeros has a scale of zero, which TensorRT's parser refuses; of zeros any scale makes zeros.
  constexpr double kSmallest = 1e-30;
  steps = onnx.add("Max", {steps, onnx.scalar(kSmallest, DType::kFloat32)});
  const std::int64_t columns = onnx.operands().tensor(1, 2).shape[0];
  const Name weight = dequantized_weight(onnx, onnx.transposed(1), steps, columns, 1);
  return onnx.add("MatMul", {values, weight});
}

/// Columns of a weight in groups of `group`, as numbers. @param values int8 [rows, columns] @param scales [rows,
/// groups]
Name whole_groups(OnnxLowering& onnx, Name values, Name scales, const Shape& shape, std::int64_t group) {
  const std::int64_t parts = shape[0] * (shape[1] / group);
  values = onnx.reshape(std::move(values), {parts, group});
  scales = onnx.reshape(std::move(scales), {parts});
  return onnx.reshape(dequantized_weight(onnx, values, scales, parts, 0), shape);
}

/// The weight of a layer of 8 bits, [rows, columns] in fp32: DequantizeLinear with a scale for each group. What is left
/// of a row behind its whole groups is a smaller group.
Name dequantized_rows(OnnxLowering& onnx, const Shape& weight, std::int64_t group) {
  const Name values = onnx.tensor(1);
  const Name scales = onnx.tensor(2, DType::kFloat32);
  const std::int64_t rest = weight[1] % group;
  if (rest == 0) return whole_groups(onnx, values, scales, weight, group);
  const std::int64_t whole = weight[1] - rest;
  const auto columns = [&](const Name& from, std::int64_t begin, std::int64_t end) {
    return onnx.slice(from, 1, onnx.integer_constants({begin}), onnx.integer_constants({end}));
  };
  const std::int64_t groups = whole / group;
  const Name first =
      whole_groups(onnx, columns(values, 0, whole), columns(scales, 0, groups), {weight[0], whole}, group);
  const Name last = whole_groups(onnx, columns(values, whole, weight[1]), columns(scales, groups, groups + 1),
                                 {weight[0], rest}, rest);
  return onnx.concat({first, last}, 1);
}

}  // namespace

void row_quantize(OnnxLowering& onnx) {
  if (onnx.operands().number(1) > 0)
    onnx.unsupported("int8 with outliers apart", "--quantize w8a8 is what runtimes have");
  // DynamicQuantizeLinear has one scale for all rows and a zero point: it stands with the product.
  onnx.result(onnx.tensor(0));
  onnx.result(onnx.tensor(0));
}

/// QuantizeLinear with one scale for all, symmetric: the half of a pair that runtimes compile to int8.
void static_quantize(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  if (onnx.result_type().dtype != DType::kInt8) onnx.unsupported("values of e4m3");
  const Name input = in_single(onnx, onnx.tensor(0), operands.tensor(0).dtype);
  onnx.result(onnx.add("QuantizeLinear", {input, onnx.tensor(1), onnx.scalar(0, DType::kInt8)}));
  // Where the values are multiplied their one step is asked for, not the rows' scales.
  onnx.result(onnx.tensor(1));
}

/// A layer in int8, quantized as its rows are.
void int8_linear(OnnxLowering& onnx) {
  if (onnx.operands().has(onnx.operands().position("outliers")))
    onnx.unsupported("int8 with outliers apart", "--quantize w8a8 is what runtimes have");
  const Node* quantize = producer_of_rows(onnx);
  Name result;
  if (quantize->op == kStaticQuantize) {
    result = dequantized_product(onnx, *quantize);
  } else {
    result = dynamic_product(onnx, std::get<Use>(quantize->args.at(0)).value);
  }
  if (onnx.operands().has(4)) result = onnx.add("Add", {result, onnx.tensor(4, DType::kFloat32)});
  const DType wanted = onnx.result_type().dtype;
  onnx.result(wanted == DType::kFloat32 ? result : onnx.cast(result, DType::kFloat32, wanted));
}

void grouped_linear(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const Shape weight = operands.tensor(1, 2).shape;
  const std::int64_t group = std::min(operands.integer(operands.position("group")), weight[1]);  // of a short row all
  if (operands.integer(operands.position("bits")) != 8 || operands.has(operands.position("zeros"))) {
    onnx.unsupported("weights of 4 bits, or with zeros of their own");
  }
  const DType dtype = operands.tensor(0).dtype;
  Name rows = onnx.transpose(dequantized_rows(onnx, weight, group), {1, 0});
  if (dtype != DType::kFloat32) rows = onnx.cast(rows, DType::kFloat32, dtype);
  Name result = onnx.add("MatMul", {onnx.tensor(0), rows});
  const std::size_t bias = operands.position("bias");
  if (operands.has(bias)) result = onnx.add("Add", {result, onnx.tensor(bias, dtype)});
  onnx.result(result);
}

}  // namespace nongemm::onnx_rules
