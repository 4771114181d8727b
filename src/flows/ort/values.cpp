#include "flows/ort/values.h"

#include <cstring>

#include "base/error.h"
#include "flows/device/device.h"

namespace nongemm::ort_flow {
// The table's numbers of ONNX are the runtime's, too.
static_assert(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT == 1 && ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 == 16 &&
              ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN == 17 && ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4 == 22);

ONNXTensorElementDataType to_onnx(DType dtype) {
  if (dtype != DType::kUndefined) return static_cast<ONNXTensorElementDataType>(info(dtype).onnx);
  throw Error(ErrorKind::kUnsupported, "ONNX has no type for " + std::string(name_of(dtype)));
}

DType from_onnx(ONNXTensorElementDataType type) {
  if (const auto dtype = dtype_by(&DTypeInfo::onnx, static_cast<std::int32_t>(type))) return *dtype;
  throw Error(ErrorKind::kUnsupported, "a tensor of ONNX type " + std::to_string(type));
}

namespace {

const Ort::MemoryInfo& host_memory() {
  static const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  return memory;
}

}  // namespace

Ort::Value to_value(const HostTensor& tensor) {
  // The interface takes inputs as mutable; the runtime does not write to them.
  auto* bytes = const_cast<std::byte*>(tensor.data.get());
  return Ort::Value::CreateTensor(host_memory(), bytes, tensor.byte_size(), tensor.shape.data(), tensor.shape.size(),
                                  to_onnx(tensor.dtype));
}

Ort::Value to_value(std::int64_t& number) {
  return Ort::Value::CreateTensor<std::int64_t>(host_memory(), &number, 1, nullptr, 0);
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
