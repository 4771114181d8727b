#include "onnx/known_value.h"

#include <algorithm>
#include <cmath>

#include "base/elements.h"

namespace nongemm::onnx {
namespace {

std::int64_t whole(double number) {
  constexpr double kLargest = 4611686018427387904.0;
  if (std::isnan(number)) return 0;
  return static_cast<std::int64_t>(std::clamp(number, -kLargest, kLargest));
}

}  // namespace

std::vector<std::int64_t> KnownValue::integers() const {
  std::vector<std::int64_t> result;
  for (const double number : numbers) result.push_back(whole(number));
  return result;
}

std::optional<KnownValue> known_value(const HostTensor& tensor, std::int64_t most) {
  if (tensor.dtype == DType::kUndefined || element_count(tensor.shape) > most) return std::nullopt;
  return KnownValue{tensor.dtype, tensor.shape, elements_of(tensor)};
}

HostTensor tensor_of(const KnownValue& value) { return tensor_from(value.dtype, value.shape, value.numbers); }

void round_to_dtype(KnownValue& value) {
  for (double& number : value.numbers) {
    // Infinity as a whole number is what a division by 0 leaves; it must not become one that looks like any other.
    number =
        is_floating(value.dtype) || value.dtype == DType::kBool ? rounded_to(value.dtype, number) : std::trunc(number);
  }
}

}  // namespace nongemm::onnx
