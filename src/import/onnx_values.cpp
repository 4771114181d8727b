#include "import/onnx_values.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "import/onnx_fold_layout.h"
#include "import/onnx_tensors.h"

namespace nongemm::onnx {
namespace {

constexpr std::int64_t kMostElements = kMostKnownElements;

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

std::optional<KnownValue> cast(const ReadNode& node, const KnownValue& data) {
  KnownValue result = data;
  result.dtype = dtype_of(static_cast<std::int32_t>(integer_attribute(node, "to", 0)));
  switch (result.dtype) {
    case DType::kFloat32:
    case DType::kFloat64:
      return result;
    case DType::kInt32:
    case DType::kInt64:
      for (double& number : result.numbers) number = std::trunc(number);
      return result;
    case DType::kBool:
      for (double& number : result.numbers) number = number != 0 ? 1 : 0;
      return result;
    default:
      return std::nullopt;
  }
}

struct Arithmetic {
  std::string_view type;
  double (*apply)(double, double);
  bool gives_truth = false;
};

constexpr Arithmetic kArithmetic[] = {
    {"Add", [](double a, double b) { return a + b; }},
    {"Sub", [](double a, double b) { return a - b; }},
    {"Mul", [](double a, double b) { return a * b; }},
    {"Div", [](double a, double b) { return b == 0 ? 0 : a / b; }},
    {"Max", [](double a, double b) { return std::max(a, b); }},
    {"Min", [](double a, double b) { return std::min(a, b); }},
    {"Mod", [](double a, double b) { return b == 0 ? 0 : a - std::floor(a / b) * b; }},
    {"Equal", [](double a, double b) { return a == b ? 1.0 : 0.0; }, true},
    {"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }, true},
    {"LessOrEqual", [](double a, double b) { return a <= b ? 1.0 : 0.0; }, true},
    {"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }, true},
    {"GreaterOrEqual", [](double a, double b) { return a >= b ? 1.0 : 0.0; }, true},
    {"And", [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }, true},
    {"Or", [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }, true},
};

struct Unary {
  std::string_view type;
  double (*apply)(double);
};

constexpr Unary kUnary[] = {
    {"Neg", [](double a) { return -a; }},
    {"Abs", [](double a) { return std::abs(a); }},
    {"Floor", [](double a) { return std::floor(a); }},
    {"Ceil", [](double a) { return std::ceil(a); }},
    {"Sqrt", [](double a) { return std::sqrt(a); }},
    {"Not", [](double a) { return a == 0 ? 1.0 : 0.0; }},
};

/// Of all elements of a list to one number: the product of sizes.
std::optional<KnownValue> reduced(const ReadNode& node, const KnownValue& data) {
  if (data.shape.size() > 1 || data.numbers.empty()) return std::nullopt;
  double result = data.numbers[0];
  for (std::size_t i = 1; i < data.numbers.size(); ++i) {
    const double number = data.numbers[i];
    if (node.type == "ReduceProd") result *= number;
    if (node.type == "ReduceSum") result += number;
    if (node.type == "ReduceMax") result = std::max(result, number);
    if (node.type == "ReduceMin") result = std::min(result, number);
  }
  const bool keeps = integer_attribute(node, "keepdims", 1) != 0 && !data.shape.empty();
  return KnownValue{data.dtype, keeps ? Shape{1} : Shape{}, {result}};
}

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
    std::optional<KnownValue> result = broadcast(first, *second, row.apply);
    if (!result) return std::nullopt;
    result->dtype = row.gives_truth ? DType::kBool : first.dtype;
    if (!is_floating(result->dtype)) {
      for (double& number : result->numbers) number = std::trunc(number);
    }
    return result;
  }
  for (const Unary& row : kUnary) {
    if (row.type != node.type || inputs.size() != 1) continue;
    KnownValue result = first;
    for (double& number : result.numbers) number = row.apply(number);
    return result;
  }
  if (node.type == "ReduceProd" || node.type == "ReduceSum" || node.type == "ReduceMax" || node.type == "ReduceMin") {
    return reduced(node, first);
  }
  if (node.type == "Identity") return first;
  if (node.type == "Cast") return cast(node, first);
  if (node.type == "ConstantOfShape") return filled(node, first);
  const bool all = std::none_of(inputs.begin(), inputs.end(), [](const KnownValue* input) { return input == nullptr; });
  if (node.type == "Range" && all && inputs.size() == 3) return range(first, *inputs[1], *inputs[2]);
  return fold_layout(node, inputs, opset);
}

}  // namespace nongemm::onnx
