#include "import/pt2/arguments.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "pt2/types.h"

namespace nongemm::pt2 {
namespace {

const Argument& named(const Json& json, const char* key, const Names& names) {
  const std::string& name = text_at(json, key);
  const auto at = names.find(name);
  if (at == names.end()) throw Error(ErrorKind::kBadInput, "uses '" + name + "' before its definition");
  return at->second;
}

Use tensor_named(const Json& json, const Names& names) {
  const auto* use = std::get_if<Use>(&named(json, "name", names));
  if (use == nullptr) throw Error(ErrorKind::kBadInput, "'" + text_at(json, "name") + "' is no tensor");
  return *use;
}

std::vector<Use> tensors(const Json& list, const Names& names) {
  std::vector<Use> uses;
  for (const Json& element : list) uses.push_back(tensor_named(element, names));
  return uses;
}

std::vector<Use> optional_tensors(const Json& list, const Names& names) {
  std::vector<Use> uses;
  for (const Json& element : list) {
    const auto [tag, content] = union_of(element);
    uses.push_back(tag == "as_none" ? Use{} : tensor_named(*content, names));
  }
  return uses;
}

/// {"as_name": "sym_size"} or {"as_int": 3}.
Argument symbolic(const Json& json, const Names& names) {
  const auto [tag, content] = union_of(json);
  if (tag == "as_name") return named(json, "as_name", names);
  if (tag == "as_bool") return as_flag(*content);
  if (tag == "as_float") return as_number(*content);
  return as_integer(*content);
}

Int as_int(const Argument& argument) {
  if (const auto* number = std::get_if<std::int64_t>(&argument)) return *number;
  if (const auto* use = std::get_if<Use>(&argument)) return Int::of(use->value);
  throw Error(ErrorKind::kBadInput, "expected an integer in a list");
}

std::vector<Int> symbolic_ints(const Json& list, const Names& names) {
  std::vector<Int> ints;
  for (const Json& element : list) ints.push_back(as_int(symbolic(element, names)));
  return ints;
}

std::vector<double> numbers(const Json& list) {
  std::vector<double> values;
  for (const Json& element : list) values.push_back(as_number(element));
  return values;
}

std::vector<bool> flags(const Json& list) {
  std::vector<bool> values;
  for (const Json& element : list) values.push_back(as_flag(element));
  return values;
}

/// An empty list says nothing of its elements: the schema does. Integers stand for floats where these are wanted.
Argument int_list(const Json& list, const SchemaArg* schema) {
  if (schema != nullptr && schema->kind == ArgKind::kFloat) return numbers(list);
  if (schema != nullptr && list.empty()) {
    if (schema->kind == ArgKind::kTensor) return std::vector<Use>();
    if (schema->kind == ArgKind::kBool) return std::vector<bool>();
  }
  std::vector<Int> ints;
  for (const Json& element : list) ints.emplace_back(as_integer(element));
  return ints;
}

Argument number(Argument argument, const SchemaArg* schema) {
  const auto* integer = std::get_if<std::int64_t>(&argument);
  const bool wants_float = schema != nullptr && schema->kind == ArgKind::kFloat;
  return integer != nullptr && wants_float ? Argument(static_cast<double>(*integer)) : argument;
}

Argument any_kind(const Json& json, const SchemaArg* schema, const Names& names) {
  const auto [tag, content] = union_of(json);
  if (tag == "as_none") return std::monostate{};
  if (tag == "as_tensor") return tensor_named(*content, names);
  if (tag == "as_tensors") return tensors(*content, names);
  if (tag == "as_optional_tensors") return optional_tensors(*content, names);
  if (tag == "as_optional_tensor") {
    const auto [inner, tensor] = union_of(*content);
    return inner == "as_none" ? Argument() : Argument(tensor_named(*tensor, names));
  }
  if (tag == "as_int") return number(as_integer(*content), schema);
  if (tag == "as_ints") return int_list(*content, schema);
  if (tag == "as_float") return as_number(*content);
  if (tag == "as_floats") return numbers(*content);
  if (tag == "as_bool") return as_flag(*content);
  if (tag == "as_bools") return flags(*content);
  if (tag == "as_string") return as_text(*content);
  if (tag == "as_sym_int" || tag == "as_sym_float" || tag == "as_sym_bool") {
    return number(symbolic(*content, names), schema);
  }
  if (tag == "as_sym_ints") return symbolic_ints(*content, names);
  if (tag == "as_scalar_type") return dtype_of(*content);
  if (tag == "as_memory_format") return memory_format_of(*content);
  if (tag == "as_layout") {
    constexpr int kStrided = 7;
    if (as_integer(*content) != kStrided) throw Error(ErrorKind::kUnsupported, "asks for a sparse layout");
    return std::string("strided");
  }
  // Everything runs on one device: the run's, not the one that the model was exported on.
  if (tag == "as_device") return std::monostate{};
  throw Error(ErrorKind::kUnsupported, "has an argument of kind '" + std::string(tag) + "', which is not handled");
}

}  // namespace

Argument read_argument(const Json& json, const SchemaArg* schema, const Names& names) {
  return any_kind(json, schema, names);
}

std::pair<std::string_view, const Json*> union_of(const Json& value) {
  if (!value.is_object() || value.size() != 1) {
    throw Error(ErrorKind::kBadInput, "expected an object with one member");
  }
  return {value.begin().key(), &*value.begin()};
}

}  // namespace nongemm::pt2
