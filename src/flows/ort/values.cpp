#include "flows/ort/values.h"

#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "flows/device/device.h"

namespace nongemm::ort_flow {
namespace {

constexpr std::array kTypes = {
    std::pair{DType::kBool, ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL},
    std::pair{DType::kUInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8},
    std::pair{DType::kInt8, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8},
    std::pair{DType::kInt16, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16},
    std::pair{DType::kInt32, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32},
    std::pair{DType::kInt64, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64},
    std::pair{DType::kFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16},
    std::pair{DType::kBFloat16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16},
    std::pair{DType::kFloat32, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT},
    std::pair{DType::kFloat64, ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE},
};

}  // namespace

ONNXTensorElementDataType to_onnx(DType dtype) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) return theirs;
  }
  throw Error(ErrorKind::kUnsupported, "ONNX has no type for " + std::string(name_of(dtype)));
}

DType from_onnx(ONNXTensorElementDataType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  throw Error(ErrorKind::kUnsupported, "a tensor of ONNX type " + std::to_string(type));
}

Ort::Value to_value(const HostTensor& tensor) {
  static const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  // The interface takes inputs as mutable; the runtime does not write to them.
  auto* bytes = const_cast<std::byte*>(tensor.data.get());
  return Ort::Value::CreateTensor(memory, bytes, tensor.byte_size(), tensor.shape.data(), tensor.shape.size(),
                                  to_onnx(tensor.dtype));
}

HostTensor to_tensor(const Ort::Value& value) {
  if (!value.IsTensor()) throw Error(ErrorKind::kUnsupported, "an output that is no tensor");
  const auto info = value.GetTensorTypeAndShapeInfo();
  auto [tensor, bytes] = HostTensor::allocate(from_onnx(info.GetElementType()), info.GetShape());
  if (tensor.byte_size() == 0) return tensor;
  if (value.GetTensorMemoryInfo().GetDeviceType() == OrtMemoryInfoDeviceType_GPU) {
    device::library().copy_to_host(bytes, value.GetTensorRawData(), tensor.byte_size());
  } else {
    std::memcpy(bytes, value.GetTensorRawData(), tensor.byte_size());
  }
  return tensor;
}

}  // namespace nongemm::ort_flow
