#include "import/onnx_values.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace nongemm::onnx {
namespace {

constexpr std::int64_t kMostElements = 4096;

template <typename T>
std::vector<double> numbers_of(const HostTensor& tensor) {
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < element_count(tensor.shape); ++i) {
    numbers.push_back(static_cast<double>(tensor.as<T>()[i]));
  }
  return numbers;
}

std::int64_t whole(double number) {
  constexpr double kLargest = 4611686018427387904.0;
  if (std::isnan(number)) return 0;
  return static_cast<std::int64_t>(std::clamp(number, -kLargest, kLargest));
}

template <typename T>
HostTensor tensor_as(const KnownValue& value) {
  std::vector<T> numbers;
  for (const double number : value.numbers) {
    if constexpr (std::is_integral_v<T>) {
      numbers.push_back(static_cast<T>(whole(number)));
    } else {
      numbers.push_back(static_cast<T>(number));
    }
  }
  return HostTensor::from<T>(value.dtype, value.shape, numbers);
}

std::int64_t integer_attribute(const ReadNode& node, std::string_view name, std::int64_t otherwise) {
  const Attribute* attribute = node.find(name);
  const auto* value = attribute == nullptr ? nullptr : std::get_if<std::int64_t>(&attribute->value);
  return value == nullptr ? otherwise : *value;
}

/// Up to one dimension; one operand may be a single number.
std::optional<KnownValue> combine(const KnownValue& a, const KnownValue& b, double (*apply)(double, double)) {
  const bool a_is_one = a.numbers.size() == 1 && a.shape.size() <= b.shape.size();
  const bool b_is_one = b.numbers.size() == 1 && b.shape.size() <= a.shape.size();
  if (a.shape != b.shape && !a_is_one && !b_is_one) return std::nullopt;
  KnownValue result = a_is_one && a.shape != b.shape ? b : a;
  for (std::size_t i = 0; i < result.numbers.size(); ++i) {
    result.numbers[i] = apply(a.numbers[a.shape == b.shape ? i
                                        : a_is_one         ? 0
                                                           : i],
                              b.numbers[a.shape == b.shape ? i
                                        : b_is_one         ? 0
                                                           : i]);
    if (a.dtype == DType::kInt64) result.numbers[i] = std::trunc(result.numbers[i]);
  }
  result.dtype = a.dtype;
  return result;
}

std::optional<KnownValue> concat(const std::vector<const KnownValue*>& inputs) {
  KnownValue result = *inputs.at(0);
  result.numbers.clear();
  for (const KnownValue* input : inputs) {
    if (input->shape.size() != 1) return std::nullopt;
    result.numbers.insert(result.numbers.end(), input->numbers.begin(), input->numbers.end());
  }
  result.shape = {static_cast<std::int64_t>(result.numbers.size())};
  return result;
}

std::optional<KnownValue> gather(const KnownValue& data, const KnownValue& indices) {
  if (data.shape.size() != 1) return std::nullopt;
  KnownValue result{data.dtype, indices.shape, {}};
  for (std::int64_t index : indices.integers()) {
    if (index < 0) index += data.shape[0];
    if (index < 0 || index >= data.shape[0]) return std::nullopt;
    result.numbers.push_back(data.numbers[static_cast<std::size_t>(index)]);
  }
  return result;
}

/// Of one dimension.
std::optional<KnownValue> slice(const std::vector<const KnownValue*>& inputs) {
  const KnownValue& data = *inputs.at(0);
  if (data.shape.size() != 1 || inputs.size() < 3 || inputs[1] == nullptr || inputs[2] == nullptr) return std::nullopt;
  const std::int64_t step = inputs.size() > 4 && inputs[4] != nullptr ? inputs[4]->integers().at(0) : 1;
  const std::int64_t size = data.shape[0];
  if (step < 1 || inputs[1]->numbers.size() != 1 || inputs[2]->numbers.size() != 1) return std::nullopt;
  const auto bound = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
  KnownValue result{data.dtype, {}, {}};
  const std::int64_t end = bound(inputs[2]->integers()[0]);
  for (std::int64_t i = bound(inputs[1]->integers()[0]); i < end; i += step) {
    result.numbers.push_back(data.numbers[static_cast<std::size_t>(i)]);
  }
  result.shape = {static_cast<std::int64_t>(result.numbers.size())};
  return result;
}

std::optional<KnownValue> filled(const ReadNode& node, const KnownValue& shape) {
  KnownValue result{DType::kFloat32, shape.integers(), {}};
  double number = 0;
  if (const Attribute* attribute = node.find("value")) {
    const auto* tensor = std::get_if<HostTensor>(&attribute->value);
    const std::optional<KnownValue> value = tensor == nullptr ? std::nullopt : known_value(*tensor);
    if (!value || value->numbers.size() != 1) return std::nullopt;
    result.dtype = value->dtype;
    number = value->numbers[0];
  }
  double count = 1;
  for (const std::int64_t size : result.shape) {
    if (size < 0) return std::nullopt;
    count *= static_cast<double>(size);
  }
  if (count > static_cast<double>(kMostElements)) return std::nullopt;
  result.numbers.assign(static_cast<std::size_t>(count), number);
  return result;
}

std::optional<KnownValue> range(const KnownValue& start, const KnownValue& limit, const KnownValue& delta) {
  KnownValue result{start.dtype, {}, {}};
  const double step = delta.numbers.at(0);
  if (step == 0 || (limit.numbers.at(0) - start.numbers.at(0)) / step > kMostElements) return std::nullopt;
  for (double at = start.numbers[0]; step > 0 ? at < limit.numbers[0] : at > limit.numbers[0]; at += step) {
    result.numbers.push_back(at);
  }
  result.shape = {static_cast<std::int64_t>(result.numbers.size())};
  return result;
}

std::optional<KnownValue> where(const KnownValue& condition, const KnownValue& yes, const KnownValue& no) {
  if (condition.shape != yes.shape || condition.shape != no.shape) return std::nullopt;
  KnownValue result = yes;
  for (std::size_t i = 0; i < result.numbers.size(); ++i) {
    if (condition.numbers[i] == 0) result.numbers[i] = no.numbers[i];
  }
  return result;
}

/// Squeeze, Unsqueeze, Reshape of what has at most one dimension.
std::optional<KnownValue> reshaped(const KnownValue& data, bool to_one_dimension) {
  if (data.shape.size() > 1 || (!to_one_dimension && data.numbers.size() != 1)) return std::nullopt;
  KnownValue result = data;
  result.shape = to_one_dimension ? Shape{static_cast<std::int64_t>(data.numbers.size())} : Shape{};
  return result;
}

std::optional<KnownValue> cast(const ReadNode& node, const KnownValue& data) {
  KnownValue result = data;
  switch (integer_attribute(node, "to", 0)) {
    case 1:
      result.dtype = DType::kFloat32;
      return result;
    case 6:
    case 7:
      result.dtype = DType::kInt64;
      for (double& number : result.numbers) number = std::trunc(number);
      return integer_attribute(node, "to", 0) == 7 ? std::optional(result) : std::nullopt;
    default:
      return std::nullopt;
  }
}

struct Arithmetic {
  std::string_view type;
  double (*apply)(double, double);
};

constexpr Arithmetic kArithmetic[] = {
    {"Add", [](double a, double b) { return a + b; }},
    {"Sub", [](double a, double b) { return a - b; }},
    {"Mul", [](double a, double b) { return a * b; }},
    {"Div", [](double a, double b) { return b == 0 ? 0 : a / b; }},
    {"Max", [](double a, double b) { return std::max(a, b); }},
    {"Min", [](double a, double b) { return std::min(a, b); }},
    {"Equal", [](double a, double b) { return a == b ? 1.0 : 0.0; }},
};

}  // namespace

std::vector<std::int64_t> KnownValue::integers() const {
  std::vector<std::int64_t> result;
  for (const double number : numbers) result.push_back(whole(number));
  return result;
}

std::optional<KnownValue> known_value(const HostTensor& tensor) {
  if (element_count(tensor.shape) > kMostElements) return std::nullopt;
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
    case DType::kBool:
      return tensor_as<std::uint8_t>(value);
    default: {
      const std::vector<std::int64_t> integers = value.integers();
      return HostTensor::from<std::int64_t>(DType::kInt64, value.shape, integers);
    }
  }
}

std::optional<KnownValue> fold(const ReadNode& node, const std::vector<const KnownValue*>& inputs, std::int64_t opset) {
  if (!node.domain.empty() || inputs.empty() || inputs[0] == nullptr) return std::nullopt;
  const KnownValue& first = *inputs[0];
  const KnownValue* second = inputs.size() > 1 ? inputs[1] : nullptr;
  for (const Arithmetic& row : kArithmetic) {
    if (row.type != node.type || inputs.size() != 2 || second == nullptr) continue;
    std::optional<KnownValue> result = combine(first, *second, row.apply);
    if (result && node.type == "Equal") result->dtype = DType::kBool;
    return result;
  }
  if (node.type == "Identity") return first;
  if (node.type == "Cast") return cast(node, first);
  if (node.type == "Unsqueeze" && first.shape.empty()) return reshaped(first, true);
  if (node.type == "Squeeze") return reshaped(first, false);
  if (node.type == "Reshape" && second != nullptr && second->numbers.size() <= 1) {
    return reshaped(first, second->numbers.size() == 1);
  }
  if (node.type == "ConstantOfShape") return filled(node, first);
  if (node.type == "Gather" && second != nullptr && integer_attribute(node, "axis", 0) == 0) {
    return gather(first, *second);
  }
  const bool all = std::none_of(inputs.begin(), inputs.end(), [](const KnownValue* input) { return input == nullptr; });
  if (node.type == "Slice" && opset >= 10) return slice(inputs);
  if (node.type == "Concat" && all) return concat(inputs);
  if (node.type == "Where" && all && inputs.size() == 3) return where(first, *inputs[1], *inputs[2]);
  if (node.type == "Range" && all && inputs.size() == 3 && first.dtype == DType::kInt64) {
    return range(first, *inputs[1], *inputs[2]);
  }
  return std::nullopt;
}

}  // namespace nongemm::onnx
