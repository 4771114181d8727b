#include "microbench/operand_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "base/error.h"
#include "base/text.h"
#include "ops/rules.h"

namespace nongemm::microbench {
namespace {

[[noreturn]] void refuse(const SchemaArg& arg, const std::string& text, std::string_view wanted) {
  throw Error(ErrorKind::kUsage, fmt::format("argument '{}' cannot be '{}'", arg.name, text),
              fmt::format("it takes {}{}{}", arg.list ? "a list of " : "", wanted, arg.optional ? ", or none" : ""));
}

template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> truth_of(std::string_view text) {
  if (text == "true" || text == "True") return true;
  if (text == "false" || text == "False") return false;
  return std::nullopt;
}

std::vector<std::string> elements_of(std::string text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<std::string> elements;
  std::istringstream stream(text);
  for (std::string element; std::getline(stream, element, ',');) elements.push_back(element);
  return elements;
}

template <typename Number>
std::vector<Number> numbers_of(const SchemaArg& arg, const std::string& text, std::string_view wanted) {
  std::vector<Number> values;
  for (const std::string& element : elements_of(text)) {
    const std::optional<Number> value = number_of<Number>(element);
    if (!value) refuse(arg, text, wanted);
    values.push_back(*value);
  }
  return values;
}

/// "2" is a whole number, "2.0" is not, and neither is a truth value.
Argument scalar_of(const SchemaArg& arg, const std::string& text) {
  if (const auto flag = truth_of(text)) return *flag;
  if (const auto whole = number_of<std::int64_t>(text)) return *whole;
  if (const auto number = number_of<double>(text)) return *number;
  refuse(arg, text, "a number");
}

Argument parse_list(const SchemaArg& arg, const std::string& text) {
  if (arg.kind == ArgKind::kFloat) return numbers_of<double>(arg, text, "numbers: 0.5,2");
  if (arg.kind == ArgKind::kBool) {
    std::vector<bool> flags;
    for (const std::string& element : elements_of(text)) {
      const std::optional<bool> flag = truth_of(element);
      if (!flag) refuse(arg, text, "truth values: true,false");
      flags.push_back(*flag);
    }
    return flags;
  }
  if (arg.kind != ArgKind::kInt) refuse(arg, text, "what --arg cannot give");
  const auto values = numbers_of<std::int64_t>(arg, text, "whole numbers: 0,2,1");
  if (values.size() == 1 && arg.fixed_size > 1) {
    return std::vector<Int>(static_cast<std::size_t>(arg.fixed_size), Int(values[0]));
  }
  return std::vector<Int>(values.begin(), values.end());
}

}  // namespace

Argument parse_argument(const SchemaArg& arg, const std::string& text) {
  if (text == "none" || text == "None") {
    if (!accepts(arg, Argument{})) {
      throw Error(ErrorKind::kUsage, fmt::format("argument '{}' cannot be none", arg.name), "the operator needs it");
    }
    return {};
  }
  if (arg.kind == ArgKind::kTensor) {
    if (arg.list) {
      throw Error(ErrorKind::kUsage, fmt::format("argument '{}' is a list of tensors", arg.name),
                  fmt::format("give --shape {}=... for each", arg.name));
    }
    if (const auto flag = truth_of(text); flag || number_of<double>(text)) return scalar_of(arg, text);
    throw Error(ErrorKind::kUsage, fmt::format("argument '{}' is a tensor and cannot be '{}'", arg.name, text),
                fmt::format("give its shape with --shape {}=..., or a number", arg.name));
  }
  if (arg.list) return parse_list(arg, text);
  switch (arg.kind) {
    case ArgKind::kInt:
      if (const auto value = number_of<std::int64_t>(text)) return *value;
      refuse(arg, text, "a whole number");
    case ArgKind::kFloat:
      if (const auto value = number_of<double>(text)) return *value;
      refuse(arg, text, "a number");
    case ArgKind::kBool:
      if (const auto value = truth_of(text)) return *value;
      refuse(arg, text, "true or false");
    case ArgKind::kScalar:
      return scalar_of(arg, text);
    case ArgKind::kDType:
      if (const auto dtype = parse_dtype(text)) return *dtype;
      refuse(arg, text, "a dtype: fp32, fp16, bf16, int64, bool");
    default:
      return text;
  }
}

std::string argument_text(const Argument& value) {
  const auto joined = [](const auto& values, auto&& text) {
    std::string result;
    for (const auto& element : values) result += (result.empty() ? "" : ",") + text(element);
    return result.empty() ? std::string("[]") : result;
  };
  const auto truth = [](bool flag) { return std::string(flag ? "true" : "false"); };
  // A float that happens to be whole keeps its point: 2 and 2.0 are not the same to type promotion.
  const auto real = [](double number) {
    const std::string text = fmt::format("{}", number);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
  };
  if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<double>(&value)) return real(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return truth(*flag);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* dtype = std::get_if<DType>(&value)) return std::string(short_name_of(*dtype));
  if (const auto* ints = std::get_if<std::vector<Int>>(&value)) {
    return joined(*ints, [](const Int& element) { return fmt::format("{}", element.value); });
  }
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) return joined(*numbers, real);
  if (const auto* flags = std::get_if<std::vector<bool>>(&value)) return joined(*flags, truth);
  return "none";
}

std::string shape_text(const Shape& shape) {
  if (shape.empty()) return "scalar";
  return fmt::format("{}", fmt::join(shape, "x"));
}

Content parse_content(std::string_view text) {
  using Kind = Content::Kind;
  constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"normal", Kind::kNormal}, {"uniform", Kind::kUniform}, {"zeros", Kind::kZeros}, {"ones", Kind::kOnes}};
  for (const auto& [name, kind] : kKinds) {
    if (name == text) return {kind, 0};
  }
  throw Error(ErrorKind::kUsage, "unknown values '" + std::string(text) + "'",
              did_you_mean(text, {"normal", "uniform", "zeros", "ones"}));
}

void apply_layout(TensorSpec& tensor, std::string_view layout) {
  const auto needs = [&](std::string_view what) {
    throw Error(ErrorKind::kUsage,
                fmt::format("a tensor of shape {} has no layout '{}'", shape_text(tensor.shape), layout),
                std::string(what));
  };
  const std::size_t rank = tensor.shape.size();
  tensor.strides.clear();
  if (layout == "contiguous") return;
  if (layout == "transposed") {
    if (rank < 2) needs("it takes two dimensions or more");
    tensor.strides = contiguous_strides(tensor.shape);
    const std::int64_t rows = tensor.shape[rank - 2];
    tensor.strides[rank - 2] = 1;
    tensor.strides[rank - 1] = rows;
    return;
  }
  if (layout == "channels-last") {
    if (rank != 4) needs("it takes four dimensions: images, channels, height, width");
    const Shape& s = tensor.shape;
    tensor.strides = {s[1] * s[2] * s[3], 1, s[1] * s[3], s[1]};
    return;
  }
  for (std::size_t begin = 0; begin <= layout.size();) {
    const std::size_t end = std::min(layout.find('x', begin), layout.size());
    const auto stride = number_of<std::int64_t>(layout.substr(begin, end - begin));
    if (!stride || *stride < 0) {
      throw Error(ErrorKind::kUsage, "unknown layout '" + std::string(layout) + "'",
                  did_you_mean(layout, {"contiguous", "channels-last", "transposed"}) + ", or strides: 768x1x12");
    }
    tensor.strides.push_back(*stride);
    begin = end + 1;
  }
  if (tensor.strides.size() != rank) needs(fmt::format("it takes {} strides", rank));
}

std::string layout_of(const TensorSpec& tensor) {
  if (tensor.strides.empty() || tensor.strides == contiguous_strides(tensor.shape)) return "contiguous";
  for (const std::string_view name : {"channels-last", "transposed"}) {
    TensorSpec other = tensor;
    if (name == "transposed" ? tensor.shape.size() < 2 : tensor.shape.size() != 4) continue;
    apply_layout(other, name);
    if (other.strides == tensor.strides) return std::string(name);
  }
  return fmt::format("{}", fmt::join(tensor.strides, "x"));
}

}  // namespace nongemm::microbench
