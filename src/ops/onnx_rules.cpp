#include "ops/onnx_rules.h"

#include <algorithm>
#include <numeric>

#include "base/elements.h"

namespace nongemm::onnx_rules {

void operand(OnnxLowering& onnx) { onnx.result(onnx.tensor(0)); }

OnnxLowering::Name shape_operand(OnnxLowering& onnx, std::size_t i) {
  const Shape& shape = onnx.operands().tensor(i).shape;
  const bool known = std::find(shape.begin(), shape.end(), kDynamic) == shape.end();
  return known ? onnx.integer_constants(shape) : onnx.shape_of(onnx.tensor(i));
}

OnnxLowering::Name expanded_like_first(OnnxLowering& onnx, OnnxLowering::Name value, const Type& type) {
  const Shape& wanted = onnx.operands().tensor(0).shape;
  const bool known = std::find(wanted.begin(), wanted.end(), kDynamic) == wanted.end();
  if (known && type.shape == wanted) return value;
  return onnx.add("Expand", {std::move(value), shape_operand(onnx, 0)});
}

OnnxLowering::Name filled(OnnxLowering& onnx, OnnxLowering::Name shape, double value, DType dtype) {
  HostTensor number = scalar_tensor(value, dtype);
  number.shape = {1};
  return onnx.add("ConstantOfShape", {std::move(shape)}, {{"value", number}});
}

DType accumulation_dtype(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBFloat16 ? DType::kFloat32 : dtype;
}

std::vector<std::int64_t> dimensions(const Operands& operands, std::size_t arg, std::size_t rank) {
  std::vector<std::int64_t> dims;
  if (operands.has(arg)) {
    for (const std::int64_t dim : operands.integers(arg)) {
      if (rank > 0) dims.push_back(static_cast<std::int64_t>(rules::wrap_dim(dim, rank)));
    }
  }
  if (dims.empty()) {
    dims.resize(rank);
    std::iota(dims.begin(), dims.end(), std::int64_t{0});
  }
  std::sort(dims.begin(), dims.end());
  return dims;
}

}  // namespace nongemm::onnx_rules
