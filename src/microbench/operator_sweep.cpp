#include "microbench/operator_sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "microbench/operand_rules.h"
#include "microbench/operand_text.h"
#include "microbench/shape_sweep.h"

namespace nongemm::microbench {
namespace {

/// "name=value", or a value alone.
std::pair<std::string, std::string> split_named(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

DType read_dtype(const std::string& text) {
  const std::optional<DType> dtype = parse_dtype(text);
  if (dtype) return *dtype;
  throw Error(ErrorKind::kUsage, "unknown dtype '" + text + "'",
              did_you_mean(text, {"fp32", "fp16", "bf16", "fp64", "int64", "int32", "int8", "uint8", "bool"}));
}

/// One thing that a sweep goes through: for each of its values what it does to the options of a call.
using Axis = std::vector<std::function<void(Given&)>>;

Axis axis_of_shape(const std::string& text) {
  const auto [name, shapes] = split_named(text);
  Axis axis;
  if (shapes == "none") {
    axis.push_back([name = name](Given& given) {
      (name.empty() ? given.shapes : given.named_shapes[name]).emplace_back(std::nullopt);
    });
    return axis;
  }
  for (const Shape& shape : parse_shapes(shapes)) {
    if (name.empty()) {
      axis.push_back([shape](Given& given) { given.shapes.push_back(shape); });
    } else {
      axis.push_back([name = name, shape](Given& given) { given.named_shapes[name].emplace_back(shape); });
    }
  }
  return axis;
}

/// An option's values without a name are swept through, those with one belong to every point.
template <typename Set, typename SetNamed>
Axis axis_of(const char* option, const std::vector<std::string>& texts, Given& common, Set&& set,
             SetNamed&& set_named) {
  Axis axis;
  std::set<std::string> known;
  for (const std::string& text : texts) {
    const auto [name, value] = split_named(text);
    if (name.empty()) {
      axis.push_back([set, value = value](Given& given) { set(given, value); });
      axis.back()(common);  // a value that does not exist is named before anything runs
    } else {
      set_named(common, name, value);
    }
    if (known.insert(name.empty() ? value : name + "=").second) continue;
    throw Error(ErrorKind::kUsage,
                name.empty() ? fmt::format("{} has the value {} twice", option, value)
                             : fmt::format("{} has two values for {}", option, name),
                name.empty() ? "each value of a sweep is run once" : "give one");
  }
  return axis;
}

std::vector<Axis> axes_of(const OperatorRequest& request, Given& common) {
  for (const std::string& text : request.arguments) {
    const auto [name, value] = split_named(text);
    if (name.empty()) {
      throw Error(ErrorKind::kUsage, "--arg " + text + " gives nothing a value", "write --arg dim=-1");
    }
    if (common.arguments.try_emplace(name, value).second) continue;
    throw Error(ErrorKind::kUsage, "--arg has two values for " + name, "give one");
  }
  std::vector<Axis> axes;
  for (const std::string& text : request.shapes) axes.push_back(axis_of_shape(text));
  axes.push_back(axis_of(
      "--dtype", request.dtypes, common,
      [](Given& given, const std::string& value) { given.dtype = read_dtype(value); },
      [](Given& given, const std::string& name, const std::string& value) { given.dtypes[name] = read_dtype(value); }));
  axes.push_back(axis_of(
      "--layout", request.layouts, common, [](Given& given, const std::string& value) { given.layout = value; },
      [](Given& given, const std::string& name, const std::string& value) { given.layouts[name] = value; }));
  axes.push_back(axis_of(
      "--values", request.values, common,
      [](Given& given, const std::string& value) { given.content = parse_content(value); },
      [](Given& given, const std::string& name, const std::string& value) {
        given.contents[name] = parse_content(value);
      }));
  std::erase_if(axes, [](const Axis& axis) { return axis.empty(); });
  return axes;
}

/// What a combination that makes no call was.
std::string text_of(const Given& given) {
  std::string text;
  for (const auto& shape : given.shapes) {
    text += (text.empty() ? "" : " x ") + (shape ? to_string(*shape) : std::string("none"));
  }
  return text;
}

/// How many points the axes span. Throws Error(kUsage) for more than anybody can want.
std::size_t points_of(const std::vector<Axis>& axes) {
  constexpr std::size_t kMostPoints = 10000;
  std::size_t count = 1;
  for (const Axis& axis : axes) {
    count *= axis.size();
    if (count > kMostPoints) {
      throw Error(ErrorKind::kUsage, fmt::format("the sweep has more than {} points", kMostPoints),
                  "sweep less at once");
    }
  }
  return count;
}

}  // namespace

std::vector<SweptCall> swept_calls(const OperatorInfo& info, const OperatorRequest& request) {
  Given common;
  const std::vector<Axis> axes = axes_of(request, common);
  const std::size_t count = points_of(axes);
  std::vector<SweptCall> calls;
  std::exception_ptr first_error;
  bool any = false;
  for (std::size_t point = 0; point < count; ++point) {
    Given given = common;
    std::size_t rest = point;
    std::size_t block = count;
    for (const Axis& axis : axes) {  // the last one's values change fastest
      block /= axis.size();
      axis[rest / block](given);
      rest %= block;
    }
    SweptCall swept;
    try {
      swept.call = fill_operands(info, given);
      any = true;
    } catch (const Error&) {
      swept.refused = text_of(given);
      swept.error = std::current_exception();
      swept.call.info = info;
      if (!first_error) first_error = swept.error;
    }
    calls.push_back(std::move(swept));
  }
  if (!any) std::rethrow_exception(first_error);
  return calls;
}

}  // namespace nongemm::microbench
