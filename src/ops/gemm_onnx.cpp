// ONNX rules of gemm.cpp.
#include "ops/onnx_rules.h"

namespace nongemm::onnx_rules {
namespace {

using Name = OnnxLowering::Name;
using Names = OnnxLowering::Names;

/// One value per spatial dimension.
std::vector<std::int64_t> spatial(const OnnxLowering& onnx, std::string_view arg, std::size_t count) {
  std::vector<std::int64_t> values = onnx.operands().integers(onnx.operands().position(arg));
  if (values.size() == 1) values.resize(count, values[0]);
  return values;
}

OnnxLowering::Attributes convolution_attributes(const OnnxLowering& onnx) {
  const Shape& weight = onnx.operands().tensor(1, 2).shape;
  const std::size_t count = weight.size() - 2;
  std::vector<std::int64_t> pads = spatial(onnx, "padding", count);
  const std::vector<std::int64_t> same = pads;  // at the beginning and at the end
  pads.insert(pads.end(), same.begin(), same.end());
  return {{"kernel_shape", std::vector<std::int64_t>(weight.begin() + 2, weight.end())},
          {"strides", spatial(onnx, "stride", count)},
          {"pads", std::move(pads)},
          {"dilations", spatial(onnx, "dilation", count)},
          {"group", onnx.operands().integer(onnx.operands().position("groups"))}};
}

Names convolution_inputs(OnnxLowering& onnx) {
  Names inputs = {onnx.tensor(0), onnx.tensor(1)};
  if (onnx.operands().has(2)) inputs.push_back(onnx.tensor(2));
  return inputs;
}

bool is_matrix(const Type& type) { return type.shape.size() == 2; }

}  // namespace

/// Of matrices one Gemm, which takes the weight as PyTorch has it; of more dimensions a MatMul, whose weight is written
/// transposed.
void linear(OnnxLowering& onnx) {
  const bool has_bias = onnx.operands().has(2);
  const Type& weight = onnx.operands().tensor(1);
  if (is_matrix(onnx.operands().tensor(0)) && is_matrix(weight)) {
    Names inputs = {onnx.tensor(0), onnx.tensor(1)};
    if (has_bias) inputs.push_back(onnx.tensor(2));
    return onnx.result(onnx.add("Gemm", inputs, {{"transB", std::int64_t{1}}}));
  }
  const Name transposed = is_matrix(weight) ? onnx.transposed(1) : onnx.tensor(1);
  const Name product = onnx.add("MatMul", {onnx.tensor(0), transposed});
  onnx.result(has_bias ? onnx.add("Add", {product, onnx.tensor(2)}) : product);
}

void matmul(OnnxLowering& onnx) { onnx.result(onnx.add("MatMul", {onnx.tensor(0), onnx.tensor(1)})); }

void addmm(OnnxLowering& onnx) {
  OnnxLowering::Attributes attributes;
  if (onnx.operands().number(3) != 1.0) attributes.push_back({"beta", onnx.operands().number(3)});
  if (onnx.operands().number(4) != 1.0) attributes.push_back({"alpha", onnx.operands().number(4)});
  onnx.result(onnx.add("Gemm", {onnx.tensor(1), onnx.tensor(2), onnx.tensor(0)}, attributes));
}

void baddbmm(OnnxLowering& onnx) {
  const DType dtype = onnx.result_type().dtype;
  Name product = onnx.add("MatMul", {onnx.tensor(1), onnx.tensor(2)});
  if (onnx.operands().number(4) != 1.0) product = onnx.add("Mul", {product, onnx.tensor(4, dtype)});
  Name addend = onnx.tensor(0);
  if (onnx.operands().number(3) == 0.0) return onnx.result(product);
  if (onnx.operands().number(3) != 1.0) addend = onnx.add("Mul", {addend, onnx.tensor(3, dtype)});
  onnx.result(onnx.add("Add", {addend, product}));
}

void einsum(OnnxLowering& onnx) {
  onnx.result(onnx.add("Einsum", onnx.tensors(1), {{"equation", std::string(onnx.operands().text(0))}}));
}

void convolution(OnnxLowering& onnx) {
  onnx.result(onnx.add("Conv", convolution_inputs(onnx), convolution_attributes(onnx)));
}

void transposed_convolution(OnnxLowering& onnx) {
  OnnxLowering::Attributes attributes = convolution_attributes(onnx);
  const std::size_t count = onnx.operands().tensor(1, 2).shape.size() - 2;
  attributes.push_back({"output_padding", spatial(onnx, "output_padding", count)});
  onnx.result(onnx.add("ConvTranspose", convolution_inputs(onnx), attributes));
}

}  // namespace nongemm::onnx_rules
