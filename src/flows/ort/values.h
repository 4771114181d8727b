// Tensors of the program as values of ONNX Runtime and back.
#pragma once

#include <cstdint>

#include "base/tensor.h"
#include "flows/ort/onnxruntime.h"

namespace nongemm::ort_flow {

/// @throws Error(kUnsupported) for types that ONNX has not
ONNXTensorElementDataType to_onnx(DType dtype);
DType from_onnx(ONNXTensorElementDataType type);

/// Shares the tensor's bytes: it must outlive the value.
Ort::Value to_value(const HostTensor& tensor);

/// Shares an integer without dimensions: it must outlive the value.
Ort::Value to_value(std::int64_t& number);

/// A copy on the host of a value that may lie on a device.
HostTensor to_tensor(const Ort::Value& value);

}  // namespace nongemm::ort_flow
