#include "lowering/pt2/arguments.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "base/error.h"
#include "base/json.h"
#include "pt2/types.h"

namespace nongemm::pt2 {
namespace {

// ArgumentKind of the schema.
constexpr int kPositional = 1;
constexpr int kKeyword = 2;

/// Python's json has no numbers for these, torch writes them as texts.
Json number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

/// Everything is exported for the host; torch.export.passes.move_to_device_pass takes a program elsewhere.
Json host_device() { return {{"as_device", {{"type", "cpu"}, {"index", nullptr}}}}; }

Json text_argument(const std::string& text, const SchemaArg* schema) {
  if (schema == nullptr || schema->kind == ArgKind::kString) return {{"as_string", text}};
  if (schema->kind == ArgKind::kDevice) return host_device();
  if (schema->kind == ArgKind::kLayout) return {{"as_layout", kStridedLayout}};
  const auto format = memory_format_number(text);
  if (schema->kind == ArgKind::kMemoryFormat && format) return {{"as_memory_format", *format}};
  throw Error(ErrorKind::kUnsupported, "has the argument " + schema->name + "='" + text + "'");
}

bool takes_tensors(const Op& op) {
  return std::any_of(op.schema.args.begin(), op.schema.args.end(),
                     [](const SchemaArg& arg) { return arg.kind == ArgKind::kTensor; });
}

}  // namespace

Json ArgumentWriter::value(ValueId id) const {
  const std::string& name = names_[id];
  switch (graph_.values[id].type.kind) {
    case Type::Kind::kTensor:
      return {{"as_tensor", {{"name", name}}}};
    case Type::Kind::kInt:
      return {{"as_sym_int", {{"as_name", name}}}};
    case Type::Kind::kFloat:
      return {{"as_sym_float", {{"as_name", name}}}};
    case Type::Kind::kBool:
      return {{"as_sym_bool", {{"as_name", name}}}};
    case Type::Kind::kTensorList:
      break;
  }
  throw Error(ErrorKind::kUnsupported, "has a list whose length only the run knows");
}

Json ArgumentWriter::uses(const std::vector<Use>& uses, const SchemaArg* schema) const {
  const bool has_none = std::any_of(uses.begin(), uses.end(), [](const Use& use) { return use.value == kNoId; });
  const bool optional = schema != nullptr ? schema->optional_element : has_none;
  Json list = Json::array();
  for (const Use& use : uses) {
    if (use.value == kNoId) {
      list.push_back({{"as_none", true}});
      continue;
    }
    Json one = value(use.value);
    list.push_back(optional ? one : Json(one.begin().value()));
  }
  return {{optional ? "as_optional_tensors" : "as_tensors", std::move(list)}};
}

Json ArgumentWriter::ints(const std::vector<Int>& ints) const {
  const bool known = std::all_of(ints.begin(), ints.end(), [](const Int& one) { return one.known(); });
  Json list = Json::array();
  for (const Int& one : ints) {
    if (known) {
      list.push_back(one.value);
    } else if (one.known()) {
      list.push_back({{"as_int", one.value}});
    } else {
      list.push_back({{"as_name", names_[one.ref]}});
    }
  }
  return {{known ? "as_ints" : "as_sym_ints", std::move(list)}};
}

Json ArgumentWriter::argument(const Argument& argument, const SchemaArg* schema, bool makes_tensor) const {
  const bool is_device = schema != nullptr && schema->kind == ArgKind::kDevice;
  return std::visit(
      [&]<typename T>(const T& held) -> Json {
        if constexpr (std::is_same_v<T, std::monostate>) {
          // An absent device is the run's: without an operand that has one, torch has to be told.
          if (is_device && (makes_tensor || !schema->optional)) return host_device();
          return {{"as_none", true}};
        } else if constexpr (std::is_same_v<T, Use>) {
          return value(held.value);
        } else if constexpr (std::is_same_v<T, std::vector<Use>>) {
          return uses(held, schema);
        } else if constexpr (std::is_same_v<T, std::vector<Int>>) {
          return ints(held);
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          return {{"as_int", held}};
        } else if constexpr (std::is_same_v<T, double>) {
          return {{"as_float", number(held)}};
        } else if constexpr (std::is_same_v<T, bool>) {
          return {{"as_bool", held}};
        } else if constexpr (std::is_same_v<T, DType>) {
          return {{"as_scalar_type", number_of(held)}};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return text_argument(held, schema);
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          Json list = Json::array();
          for (const double element : held) list.push_back(number(element));
          return {{"as_floats", std::move(list)}};
        } else {
          return {{"as_bools", held}};
        }
      },
      argument);
}

Json ArgumentWriter::inputs(const Node& node, const Op* op) const {
  Json list = Json::array();
  if (op == nullptr) {
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      list.push_back(
          {{"name", node.arg_names[i]}, {"arg", argument(node.args[i], nullptr, false)}, {"kind", kKeyword}});
    }
    return list;
  }
  const std::vector<SchemaArg>& schema = op->schema.args;
  const bool makes_tensor = !takes_tensors(*op);
  const auto is_given = [&](std::size_t i) {
    return !schema[i].has_default || node.args[i] != schema[i].default_value ||
           (schema[i].kind == ArgKind::kDevice && makes_tensor);
  };
  std::size_t positional = 0;  // up to the last one that is given
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (!schema[i].keyword_only && is_given(i)) positional = i + 1;
  }
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (schema[i].keyword_only ? !is_given(i) : i >= positional) continue;
    list.push_back({{"name", schema[i].name},
                    {"arg", argument(node.args[i], &schema[i], makes_tensor)},
                    {"kind", schema[i].keyword_only ? kKeyword : kPositional}});
  }
  return list;
}

}  // namespace nongemm::pt2
