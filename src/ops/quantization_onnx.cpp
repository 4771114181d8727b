// ONNX rules of quantization.cpp, as the runtimes' own tools write quantized models.
#include "ops/quantization_onnx.h"

#include <string>
#include <utility>

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;
using Names = OnnxLowering::Names;

Name in_single(OnnxLowering& onnx, Name value, DType from) {
  return from == DType::kFloat32 ? value : onnx.cast(std::move(value), from, DType::kFloat32);
}

/// What made the rows, which are quantized where they are multiplied.
Use source_of_rows(OnnxLowering& onnx) {
  const Graph& graph = onnx.operands().graph();
  const auto* values = std::get_if<Use>(&onnx.operands().node().args.at(0));
  const NodeId producer = values != nullptr ? graph.values[values->value].producer : kNoId;
  if (producer == kNoId || graph.nodes[producer].op != "nongemm.int8_row_quantize.default") {
    onnx.unsupported("int8 values that are not made from a tensor right before");
  }
  return std::get<Use>(graph.nodes[producer].args.at(0));
}

}  // namespace

void row_quantize(OnnxLowering& onnx) {
  if (onnx.operands().number(1) > 0)
    onnx.unsupported("int8 with outliers apart", "--quantize w8a8 is what runtimes have");
  // DynamicQuantizeLinear has one scale for all rows and a zero point: it stands with the product.
  onnx.result(onnx.tensor(0));
  onnx.result(onnx.tensor(0));
}

/// DynamicQuantizeLinear and MatMulInteger, in the order in which ONNX Runtime knows them as one operator.
void int8_linear(OnnxLowering& onnx) {
  if (onnx.operands().has(onnx.operands().position("outliers")))
    onnx.unsupported("int8 with outliers apart", "--quantize w8a8 is what runtimes have");
  const Use source = source_of_rows(onnx);
  const DType dtype = onnx.operands().graph().values[source.value].type.dtype;
  const Names rows = onnx.add_many("DynamicQuantizeLinear", {in_single(onnx, onnx.value(source.value), dtype)}, 3);
  const Name sums = onnx.add("MatMulInteger", {rows[0], onnx.transposed(1), rows[2]});
  // A weight's scale is its row's largest magnitude, which is 127 steps.
  const Name steps = onnx.add("Mul", {onnx.tensor(3), onnx.scalar(1.0 / 127.0, DType::kFloat32)});
  const Name scales = onnx.add("Mul", {rows[1], steps});
  Name result = onnx.add("Mul", {onnx.cast(sums, DType::kInt32, DType::kFloat32), scales});
  if (onnx.operands().has(4)) result = onnx.add("Add", {result, onnx.tensor(4, DType::kFloat32)});
  const DType wanted = onnx.result_type().dtype;
  onnx.result(wanted == DType::kFloat32 ? result : onnx.cast(result, DType::kFloat32, wanted));
}

/// A weight of 8 bits whose rows are whole groups: DequantizeLinear with a scale for each group.
void grouped_linear(OnnxLowering& onnx) {
  const Operands& operands = onnx.operands();
  const Shape weight = operands.tensor(1, 2).shape;
  const std::int64_t group = operands.integer(operands.position("group"));
  if (operands.integer(operands.position("bits")) != 8 || operands.has(operands.position("zeros"))) {
    onnx.unsupported("weights of 4 bits, or with zeros of their own");
  }
  if (weight[1] % group != 0) onnx.unsupported("a weight's row that is no whole number of groups");
  const DType dtype = operands.tensor(0).dtype;
  const std::int64_t parts = weight[0] * (weight[1] / group);
  const Name values = onnx.reshape(onnx.tensor(1), {parts, group});
  const Name scales = onnx.reshape(onnx.tensor(2, DType::kFloat32), {parts});
  Name rows = onnx.add("DequantizeLinear", {values, scales}, {{"axis", std::int64_t{0}}});
  rows = onnx.transpose(onnx.reshape(rows, weight), {1, 0});
  if (dtype != DType::kFloat32) rows = onnx.cast(rows, DType::kFloat32, dtype);
  Name result = onnx.add("MatMul", {onnx.tensor(0), rows});
  const std::size_t bias = operands.position("bias");
  if (operands.has(bias)) result = onnx.add("Add", {result, onnx.tensor(bias, dtype)});
  onnx.result(result);
}

}  // namespace nongemm::onnx_rules
