// A tensor in host memory: the currency between weights, inputs, outputs and graph constants. No framework.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dtype.h"

namespace nongemm {

using Shape = std::vector<std::int64_t>;

/// A dimension that is only known during the run (after nms, nonzero, ...).
inline constexpr std::int64_t kDynamic = -1;

/// Number of elements; kDynamic when a dimension is.
std::int64_t element_count(const Shape& shape);

/// "[1, 256, 768]", dynamic dimensions as "?".
std::string to_string(const Shape& shape);

/// Dense, row-major, read-only. Copies share the bytes; a memory-mapped file stays mapped while one lives.
struct HostTensor {
  DType dtype = DType::kUndefined;
  Shape shape;
  std::shared_ptr<const std::byte> data;

  std::size_t byte_size() const;
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(data.get());
  }

  /// Uninitialised memory of the right size; write through the returned pointer before sharing the tensor.
  static std::pair<HostTensor, std::byte*> allocate(DType dtype, Shape shape);
  /// A copy of `values`. T must be the C++ type of `dtype` (checked by size).
  template <typename T>
  static HostTensor from(DType dtype, Shape shape, const std::vector<T>& values);
};

/// In order: the order of a model's arguments, or of its outputs.
using NamedTensors = std::vector<std::pair<std::string, HostTensor>>;

/// The first of that name; nullptr for none.
const HostTensor* find_tensor(const NamedTensors& tensors, std::string_view name);

void check_value_count(std::size_t bytes_expected, std::size_t bytes_given, const Shape& shape);

template <typename T>
HostTensor HostTensor::from(DType dtype, Shape shape, const std::vector<T>& values) {
  auto [tensor, bytes] = allocate(dtype, std::move(shape));
  check_value_count(tensor.byte_size(), values.size() * sizeof(T), tensor.shape);
  T* out = reinterpret_cast<T*>(bytes);
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i];
  return tensor;
}

}  // namespace nongemm
