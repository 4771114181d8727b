#include "flows/tensorrt/convert.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.h"
#include "base/half.h"

namespace nongemm::tensorrt {
namespace {

template <typename From, typename To>
void copy_integers(const HostTensor& tensor, std::byte* target) {
  const From* const from = tensor.as<From>();
  To* const to = reinterpret_cast<To*>(target);
  const std::int64_t count = element_count(tensor.shape);
  constexpr auto kLeast = static_cast<std::int64_t>(std::numeric_limits<To>::min());
  constexpr auto kMost = static_cast<std::int64_t>(std::numeric_limits<To>::max());
  for (std::int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<To>(std::clamp(static_cast<std::int64_t>(from[i]), kLeast, kMost));
  }
}

}  // namespace

HostTensor converted(const HostTensor& tensor, DType dtype) {
  if (tensor.dtype == dtype) return tensor;
  auto [result, target] = HostTensor::allocate(dtype, tensor.shape);
  if (tensor.dtype == DType::kInt64 && dtype == DType::kInt32) {
    copy_integers<std::int64_t, std::int32_t>(tensor, target);
  } else if (tensor.dtype == DType::kInt32 && dtype == DType::kInt64) {
    copy_integers<std::int32_t, std::int64_t>(tensor, target);
  } else if (is_floating(tensor.dtype) && is_floating(dtype)) {
    convert_floating(tensor.dtype, tensor.data.get(), dtype, target,
                     static_cast<std::size_t>(element_count(tensor.shape)));
  } else {
    throw Error(ErrorKind::kUnsupported, "TensorRT's engine has " + std::string(name_of(dtype)) +
                                             " for a tensor of type " + std::string(name_of(tensor.dtype)));
  }
  return result;
}

}  // namespace nongemm::tensorrt
