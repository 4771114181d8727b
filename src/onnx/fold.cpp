#include "onnx/fold.h"

#include <algorithm>
#include <cmath>

#include "onnx/fold_layout.h"
#include "onnx/wire.h"

namespace nongemm::onnx {
namespace {

using Inputs = std::vector<const KnownValue*>;

std::int64_t integer_attribute(const Operation& node, std::string_view name, std::int64_t otherwise) {
  const Attribute* attribute = find_attribute(node, name);
  const auto* value = attribute == nullptr ? nullptr : std::get_if<std::int64_t>(&attribute->value);
  return value == nullptr ? otherwise : *value;
}

std::optional<KnownValue> filled(const Operation& node, const KnownValue& shape) {
  KnownValue result{DType::kFloat32, shape.integers(), {}};
  double number = 0;
  if (const Attribute* attribute = find_attribute(node, "value")) {
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
  if (count > static_cast<double>(node.most_elements)) return std::nullopt;
  result.numbers.assign(static_cast<std::size_t>(count), number);
  return result;
}

std::optional<KnownValue> range(const KnownValue& start, const KnownValue& limit, const KnownValue& delta,
                                std::int64_t most) {
  KnownValue result{start.dtype, {}, {}};
  if (start.numbers.size() != 1 || limit.numbers.size() != 1 || delta.numbers.size() != 1) return std::nullopt;
  const double step = delta.numbers[0];
  if (step == 0 || (limit.numbers[0] - start.numbers[0]) / step > static_cast<double>(most)) return std::nullopt;
  const double count = std::ceil((limit.numbers[0] - start.numbers[0]) / step);
  for (double i = 0; i < count; ++i) result.numbers.push_back(start.numbers[0] + i * step);
  result.shape = {static_cast<std::int64_t>(result.numbers.size())};
  return result;
}

std::optional<KnownValue> cast(const Operation& node, const KnownValue& data) {
  KnownValue result = data;
  result.dtype = dtype_of(static_cast<std::int32_t>(integer_attribute(node, "to", 0)));
  if (result.dtype == DType::kUndefined) return std::nullopt;
  round_to_dtype(result);
  return result;
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
    {"Div", [](double a, double b) { return a / b; }},
    {"Max", [](double a, double b) { return std::max(a, b); }},
    {"Min", [](double a, double b) { return std::min(a, b); }},
    {"Mod", [](double a, double b) { return a - std::floor(a / b) * b; }},
    {"Equal", [](double a, double b) { return a == b ? 1.0 : 0.0; }, true},
    {"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }, true},
    {"LessOrEqual", [](double a, double b) { return a <= b ? 1.0 : 0.0; }, true},
    {"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }, true},
    {"GreaterOrEqual", [](double a, double b) { return a >= b ? 1.0 : 0.0; }, true},
    {"Pow", [](double a, double b) { return std::pow(a, b); }},
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
    {"Reciprocal", [](double a) { return 1 / a; }},
    {"Not", [](double a) { return a == 0 ? 1.0 : 0.0; }},
};

/// Of all elements of a list to one number: the product of sizes.
std::optional<KnownValue> reduced(const Operation& node, const KnownValue& data) {
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

std::optional<KnownValue> computed(const Operation& node, const Inputs& inputs) {
  const KnownValue& first = *inputs[0];
  const KnownValue* second = inputs.size() > 1 ? inputs[1] : nullptr;
  for (const Arithmetic& row : kArithmetic) {
    if (row.type != node.type || inputs.size() != 2 || second == nullptr) continue;
    // The sign that floating-point remainders take is another one.
    if (node.type == "Mod" && integer_attribute(node, "fmod", 0) != 0) return std::nullopt;
    std::optional<KnownValue> result = broadcast(first, *second, node.most_elements, row.apply);
    if (!result) return std::nullopt;
    result->dtype = row.gives_truth ? DType::kBool : first.dtype;
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
  if (node.type == "Range" && all && inputs.size() == 3)
    return range(first, *inputs[1], *inputs[2], node.most_elements);
  return fold_layout(node, inputs);
}

/// Of integers: what a division by 0 leaves.
bool is_defined(const KnownValue& value) {
  return is_floating(value.dtype) ||
         std::all_of(value.numbers.begin(), value.numbers.end(), [](double number) { return std::isfinite(number); });
}

}  // namespace

const Attribute* find_attribute(const Operation& operation, std::string_view name) {
  for (const Attribute& attribute : operation.attributes) {
    if (attribute.name == name) return &attribute;
  }
  return nullptr;
}

std::optional<KnownValue> fold(const Operation& operation, const Inputs& inputs) {
  if (inputs.empty() || inputs[0] == nullptr) return std::nullopt;
  std::optional<KnownValue> result = computed(operation, inputs);
  if (!result || !is_defined(*result)) return std::nullopt;
  if (static_cast<std::int64_t>(result->numbers.size()) > operation.most_elements) return std::nullopt;
  round_to_dtype(*result);
  return result;
}

}  // namespace nongemm::onnx
