#include "microbench/op_command.h"

#include <fmt/format.h>

#include "base/error.h"
#include "microbench/operand_nature.h"
#include "microbench/operand_text.h"
#include "microbench/operators.h"

namespace nongemm::microbench {
namespace {

std::string_view name_of_content(Content::Kind kind) {
  switch (kind) {
    case Content::Kind::kNormal:
      return "normal";
    case Content::Kind::kUniform:
      return "uniform";
    case Content::Kind::kZeros:
      return "zeros";
    case Content::Kind::kOnes:
      return "ones";
    default:
      return "";
  }
}

/// Compares a call with what the rules make of the options so far, and adds the options that are missing.
class Differences {
 public:
  /// @param positional the argument whose shape stands among those without names
  Differences(const Call& call, std::string positional, Given& given)
      : call_(call), positional_(std::move(positional)), given_(given) {}

  /// @param made nullptr when the options do not suffice for any call
  /// @return whether an option was added
  bool add(const Call* made) {
    added_ = false;
    for (std::size_t i = 0; i < call_.operands.size(); ++i) {
      compare(call_.info.schema.args[i], call_.operands[i], made != nullptr ? &made->operands[i] : nullptr);
    }
    return added_;
  }

 private:
  template <typename Map, typename Value>
  void put(Map& map, const std::string& name, Value value) {
    const auto at = map.find(name);
    if (at != map.end() && at->second == value) return;
    map.insert_or_assign(name, std::move(value));
    added_ = true;
  }

  void compare_details(const std::string& name, const TensorSpec& wanted, const TensorSpec& made) {
    if (wanted.dtype != made.dtype) put(given_.dtypes, name, wanted.dtype);
    if (layout_of(wanted) != layout_of(made)) put(given_.layouts, name, layout_of(wanted));
    if (wanted.content.kind != made.content.kind && !name_of_content(wanted.content.kind).empty()) {
      put(given_.contents, name, Content{wanted.content.kind, 0});
    }
  }

  void compare(const SchemaArg& arg, const Operand& wanted, const Operand* made) {
    if (const auto* tensor = std::get_if<TensorSpec>(&wanted)) {
      const auto* other = made != nullptr ? std::get_if<TensorSpec>(made) : nullptr;
      if (other != nullptr && other->shape == tensor->shape) {
        compare_details(arg.name, *tensor, *other);
      } else if (arg.name != positional_) {
        put(given_.named_shapes, arg.name, std::vector<std::optional<Shape>>{tensor->shape});
      }
    } else if (const auto* list = std::get_if<TensorList>(&wanted)) {
      const auto* other = made != nullptr ? std::get_if<TensorList>(made) : nullptr;
      compare_lists(arg, *list, other);
    } else {
      const Argument& value = std::get<Argument>(wanted);
      const auto* other = made != nullptr ? std::get_if<Argument>(made) : nullptr;
      const bool as_default = made == nullptr && arg.has_default && arg.default_value == value;
      if ((other == nullptr || *other != value) && !as_default && parses(arg, value)) {
        put(given_.arguments, arg.name, argument_text(value));
      }
    }
  }

  void compare_lists(const SchemaArg& arg, const TensorList& wanted, const TensorList* made) {
    std::vector<std::optional<Shape>> shapes;
    for (const auto& element : wanted) {
      shapes.push_back(element ? std::optional<Shape>(element->shape) : std::nullopt);
    }
    bool same = made != nullptr && made->size() == wanted.size();
    for (std::size_t i = 0; same && i < wanted.size(); ++i) {
      same = wanted[i].has_value() == (*made)[i].has_value() && (!wanted[i] || wanted[i]->shape == (*made)[i]->shape);
    }
    if (!same) {
      put(given_.named_shapes, arg.name, std::move(shapes));
      return;
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i]) compare_details(fmt::format("{}.{}", arg.name, i), *wanted[i], *(*made)[i]);
    }
  }

  /// None where the schema wants a value (a device) is what the run fills in.
  static bool parses(const SchemaArg& arg, const Argument& value) {
    return !std::holds_alternative<std::monostate>(value) || arg.optional;
  }

  const Call& call_;
  std::string positional_;
  Given& given_;
  bool added_ = false;
};

/// The dtype that tensors have of which no rule says another.
DType main_dtype(const Call& call) {
  for (std::size_t i = 0; i < call.operands.size(); ++i) {
    if (nature_of(call.info, call.info.schema.args[i].name).dtype != DType::kUndefined) continue;
    if (const auto* tensor = std::get_if<TensorSpec>(&call.operands[i])) return tensor->dtype;
    const auto* list = std::get_if<TensorList>(&call.operands[i]);
    if (list != nullptr && !list->empty() && list->front()) return list->front()->dtype;
  }
  return DType::kFloat32;
}

std::string short_operator(const OperatorInfo& info) {
  const std::string base(base_of(info.name));
  if (info.op != nullptr) {
    if (find_operator(base, nullptr).name == info.name) return base;
    return base + "." + (info.schema.overload.empty() ? "default" : info.schema.overload);
  }
  return info.schema.name + (info.schema.overload.empty() ? "" : "." + info.schema.overload);
}

}  // namespace

Given given_of(const Call& call) {
  Given given;
  given.dtype = main_dtype(call);
  std::string positional;
  const std::vector<SchemaArg>& args = call.info.schema.args;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].kind != ArgKind::kTensor) continue;
    // The first tensor's shape needs no name; a list's elements would swallow all others.
    if (const auto* tensor = std::get_if<TensorSpec>(&call.operands[i])) {
      given.shapes = {tensor->shape};
      positional = args[i].name;
    }
    break;
  }
  Differences differences(call, std::move(positional), given);
  constexpr int kMostRounds = 8;  // an option changes what the rules make of others
  for (int round = 0; round < kMostRounds; ++round) {
    std::optional<Call> made;
    try {
      made = fill_operands(call.info, given);
    } catch (const Error&) {  // the options so far do not suffice
    }
    if (!differences.add(made ? &*made : nullptr)) break;
  }
  return given;
}

OperatorRequest operator_request(const Call& call) {
  const Given given = given_of(call);
  OperatorRequest request;
  request.names = {short_operator(call.info)};
  for (const auto& shape : given.shapes) request.shapes.push_back(shape ? shape_text(*shape) : "none");
  for (const auto& [name, shapes] : given.named_shapes) {
    for (const auto& shape : shapes) request.shapes.push_back(name + "=" + (shape ? shape_text(*shape) : "none"));
  }
  if (given.dtype != DType::kFloat32) request.dtypes.emplace_back(short_name_of(given.dtype));
  for (const auto& [name, dtype] : given.dtypes)
    request.dtypes.push_back(fmt::format("{}={}", name, short_name_of(dtype)));
  for (const auto& [name, layout] : given.layouts) request.layouts.push_back(name + "=" + layout);
  for (const auto& [name, content] : given.contents) {
    request.values.push_back(fmt::format("{}={}", name, name_of_content(content.kind)));
  }
  for (const auto& [name, text] : given.arguments) request.arguments.push_back(name + "=" + text);
  return request;
}

}  // namespace nongemm::microbench
