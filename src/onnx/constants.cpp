#include "onnx/constants.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "base/half.h"

namespace nongemm::onnx {
namespace {

template <typename T>
HostTensor one(DType dtype, T value) {
  return HostTensor::from<T>(dtype, {}, {value});
}

}  // namespace

HostTensor scalar_tensor(double value, DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return one(dtype, static_cast<float>(value));
    case DType::kFloat64:
      return one(dtype, value);
    case DType::kFloat16:
      return one(dtype, float_to_half(static_cast<float>(value)));
    case DType::kBFloat16:
      return one(dtype, float_to_bfloat16(static_cast<float>(value)));
    case DType::kBool:
      return one(dtype, static_cast<std::uint8_t>(value != 0.0));
    case DType::kUInt8:
      return one(dtype, static_cast<std::uint8_t>(value));
    case DType::kInt8:
      return one(dtype, static_cast<std::int8_t>(value));
    case DType::kInt16:
      return one(dtype, static_cast<std::int16_t>(value));
    case DType::kInt32:
      return one(dtype, static_cast<std::int32_t>(value));
    case DType::kInt64:
      return one(dtype, static_cast<std::int64_t>(value));
    case DType::kUndefined:
      break;
  }
  throw Error(ErrorKind::kFailed, "a constant without a type");
}

std::string Constants::tensor(const HostTensor& tensor) {
  std::string key = fmt::format("{}{}:", name_of(tensor.dtype), to_string(tensor.shape));
  key.append(reinterpret_cast<const char*>(tensor.data.get()), tensor.byte_size());
  const auto [at, added] = names_.try_emplace(std::move(key), fmt::format("k{}", initializers_.size()));
  if (added) {
    initializers_.push_back({.name = at->second, .dtype = tensor.dtype, .shape = tensor.shape, .data = tensor});
  }
  return at->second;
}

std::string Constants::scalar(double value, DType dtype) { return tensor(scalar_tensor(value, dtype)); }

std::string Constants::scalar(std::int64_t value, DType dtype) {
  return tensor(dtype == DType::kInt64 ? one(dtype, value) : scalar_tensor(static_cast<double>(value), dtype));
}

std::string Constants::integers(const std::vector<std::int64_t>& values) {
  return tensor(HostTensor::from(DType::kInt64, {static_cast<std::int64_t>(values.size())}, values));
}

}  // namespace nongemm::onnx
