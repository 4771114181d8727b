#include "ops/operands.h"

#include "base/error.h"

namespace nongemm {

void Operands::fail(std::size_t i, std::string_view wanted) const {
  const std::string name = i < schema_.args.size() ? schema_.args[i].name : std::to_string(i);
  throw Error(ErrorKind::kBadInput, node_.op + ": argument '" + name + "' is not " + std::string(wanted));
}

bool Operands::has(std::size_t i) const {
  return i < node_.args.size() && !std::holds_alternative<std::monostate>(node_.args[i]);
}

bool Operands::is_tensor(std::size_t i) const {
  const Use* use = i < node_.args.size() ? std::get_if<Use>(&node_.args[i]) : nullptr;
  return use != nullptr && use->value != kNoId && graph_.values[use->value].type.kind == Type::Kind::kTensor;
}

const Type& Operands::tensor(std::size_t i) const {
  if (!is_tensor(i)) fail(i, "a tensor");
  return graph_.values[std::get<Use>(node_.args[i]).value].type;
}

const Type& Operands::tensor(std::size_t i, std::size_t least_rank) const {
  const Type& type = tensor(i);
  if (type.shape.size() < least_rank) fail(i, "a tensor of at least " + std::to_string(least_rank) + " dimensions");
  return type;
}

std::vector<const Type*> Operands::tensors(std::size_t i) const {
  const auto* uses = i < node_.args.size() ? std::get_if<std::vector<Use>>(&node_.args[i]) : nullptr;
  if (uses == nullptr) fail(i, "a list of tensors");
  std::vector<const Type*> types;
  types.reserve(uses->size());
  for (const Use& use : *uses) types.push_back(use.value == kNoId ? nullptr : &graph_.values[use.value].type);
  return types;
}

std::int64_t Operands::integer(std::size_t i) const {
  if (i < node_.args.size()) {
    if (const auto* value = std::get_if<std::int64_t>(&node_.args[i])) return *value;
    if (std::holds_alternative<Use>(node_.args[i])) return kDynamic;
  }
  fail(i, "an integer");
}

std::vector<std::int64_t> Operands::integers(std::size_t i) const {
  if (i >= node_.args.size()) fail(i, "a list of integers");
  if (const auto* value = std::get_if<std::int64_t>(&node_.args[i])) return {*value};
  const auto* values = std::get_if<std::vector<Int>>(&node_.args[i]);
  if (values == nullptr) fail(i, "a list of integers");
  std::vector<std::int64_t> result;
  result.reserve(values->size());
  for (const Int& value : *values) result.push_back(value.known() ? value.value : kDynamic);
  return result;
}

std::vector<std::int64_t> Operands::pair(std::size_t i, std::int64_t if_empty) const {
  std::vector<std::int64_t> values = integers(i);
  if (values.empty()) return {if_empty, if_empty};
  if (values.size() == 1) return {values[0], values[0]};
  if (values.size() != 2) fail(i, "one or two integers");
  return values;
}

double Operands::number(std::size_t i) const {
  if (i < node_.args.size()) {
    if (const auto* value = std::get_if<double>(&node_.args[i])) return *value;
    if (const auto* value = std::get_if<std::int64_t>(&node_.args[i])) return static_cast<double>(*value);
    if (const auto* value = std::get_if<bool>(&node_.args[i])) return *value ? 1.0 : 0.0;
  }
  fail(i, "a number");
}

bool Operands::is_float(std::size_t i) const {
  if (const Use* use = std::get_if<Use>(&raw(i))) {
    return graph_.values[use->value].type.kind == Type::Kind::kFloat;
  }
  return std::holds_alternative<double>(raw(i));
}

bool Operands::flag(std::size_t i) const {
  const auto* value = i < node_.args.size() ? std::get_if<bool>(&node_.args[i]) : nullptr;
  if (value == nullptr) fail(i, "true or false");
  return *value;
}

std::string_view Operands::text(std::size_t i) const {
  const auto* value = i < node_.args.size() ? std::get_if<std::string>(&node_.args[i]) : nullptr;
  if (value == nullptr) fail(i, "a string");
  return *value;
}

DType Operands::dtype(std::size_t i, DType otherwise) const {
  if (!has(i)) return otherwise;
  const auto* value = std::get_if<DType>(&node_.args[i]);
  if (value == nullptr) fail(i, "a dtype");
  return *value;
}

std::size_t Operands::position(std::string_view name) const {
  const int i = schema_.find_arg(name);
  if (i < 0) throw Error(ErrorKind::kBadInput, node_.op + " has no argument '" + std::string(name) + "'");
  return static_cast<std::size_t>(i);
}

}  // namespace nongemm
