#include "onnx/constants.h"

#include <fmt/format.h>

#include "base/elements.h"

namespace nongemm::onnx {
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
  return tensor(dtype == DType::kInt64 ? HostTensor::from(dtype, {}, std::vector{value})
                                       : scalar_tensor(static_cast<double>(value), dtype));
}

std::string Constants::integers(const std::vector<std::int64_t>& values) {
  return tensor(HostTensor::from(DType::kInt64, {static_cast<std::int64_t>(values.size())}, values));
}

}  // namespace nongemm::onnx
