#include "onnx/known_value.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/half.h"

namespace nongemm::onnx {
namespace {

template <typename T>
std::vector<double> numbers_of(const HostTensor& tensor) {
  const T* elements = tensor.as<T>();
  return {elements, elements + element_count(tensor.shape)};
}

template <typename Convert>
std::vector<double> halves_of(const HostTensor& tensor, Convert convert) {
  std::vector<double> numbers = numbers_of<std::uint16_t>(tensor);
  for (double& number : numbers) number = convert(static_cast<std::uint16_t>(number));
  return numbers;
}

std::int64_t whole(double number) {
  constexpr double kLargest = 4611686018427387904.0;
  if (std::isnan(number)) return 0;
  return static_cast<std::int64_t>(std::clamp(number, -kLargest, kLargest));
}

template <typename T>
T as_element(double number) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(whole(number));
  } else {
    return static_cast<T>(number);
  }
}

template <typename T>
HostTensor tensor_as(const KnownValue& value) {
  std::vector<T> elements;
  elements.reserve(value.numbers.size());
  for (const double number : value.numbers) elements.push_back(as_element<T>(number));
  return HostTensor::from<T>(value.dtype, value.shape, elements);
}

HostTensor halves(const KnownValue& value, std::uint16_t (*convert)(float)) {
  std::vector<std::uint16_t> elements;
  elements.reserve(value.numbers.size());
  for (const double number : value.numbers) elements.push_back(convert(static_cast<float>(number)));
  return HostTensor::from<std::uint16_t>(value.dtype, value.shape, elements);
}

}  // namespace

std::vector<std::int64_t> KnownValue::integers() const {
  std::vector<std::int64_t> result;
  for (const double number : numbers) result.push_back(whole(number));
  return result;
}

std::optional<KnownValue> known_value(const HostTensor& tensor, std::int64_t most) {
  if (element_count(tensor.shape) > most) return std::nullopt;
  KnownValue value{tensor.dtype, tensor.shape, {}};
  switch (tensor.dtype) {
    case DType::kInt64:
      value.numbers = numbers_of<std::int64_t>(tensor);
      return value;
    case DType::kInt32:
      value.numbers = numbers_of<std::int32_t>(tensor);
      return value;
    case DType::kFloat32:
      value.numbers = numbers_of<float>(tensor);
      return value;
    case DType::kFloat64:
      value.numbers = numbers_of<double>(tensor);
      return value;
    case DType::kFloat16:
      value.numbers = halves_of(tensor, half_to_float);
      return value;
    case DType::kBFloat16:
      value.numbers = halves_of(tensor, bfloat16_to_float);
      return value;
    case DType::kBool:
      value.numbers = numbers_of<std::uint8_t>(tensor);
      return value;
    default:
      return std::nullopt;
  }
}

HostTensor tensor_of(const KnownValue& value) {
  switch (value.dtype) {
    case DType::kInt32:
      return tensor_as<std::int32_t>(value);
    case DType::kFloat32:
      return tensor_as<float>(value);
    case DType::kFloat64:
      return tensor_as<double>(value);
    case DType::kFloat16:
      return halves(value, float_to_half);
    case DType::kBFloat16:
      return halves(value, float_to_bfloat16);
    case DType::kBool:
      return tensor_as<std::uint8_t>(value);
    default:
      return HostTensor::from<std::int64_t>(DType::kInt64, value.shape, value.integers());
  }
}

void round_to_dtype(KnownValue& value) {
  for (double& number : value.numbers) {
    switch (value.dtype) {
      case DType::kFloat64:
        break;
      case DType::kFloat32:
        number = static_cast<float>(number);
        break;
      case DType::kFloat16:
        number = half_to_float(float_to_half(static_cast<float>(number)));
        break;
      case DType::kBFloat16:
        number = bfloat16_to_float(float_to_bfloat16(static_cast<float>(number)));
        break;
      case DType::kBool:
        number = number != 0 ? 1 : 0;
        break;
      default:
        number = std::trunc(number);
    }
  }
}

}  // namespace nongemm::onnx
