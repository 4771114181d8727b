#include "base/json_object.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace nongemm {

JsonObject JsonObject::parse(std::string_view text, const std::string& origin) {
  auto values = std::make_shared<const Json>(parse_json(text, origin));
  if (!values->is_object()) throw Error(ErrorKind::kBadInput, origin + ": not a JSON object");
  return {origin, std::move(values)};
}

JsonObject::JsonObject(const std::filesystem::path& path, std::size_t max_bytes)
    : JsonObject(parse(read_file(path, max_bytes), path.string())) {}

JsonObject JsonObject::empty(std::string origin) {
  return {std::move(origin), std::make_shared<const Json>(Json::object())};
}

JsonObject JsonObject::inner(std::string_view name, const Json& values) const {
  if (!values.is_object()) fail(name, "is not an object");
  JsonObject object(origin_, {values_, &values});
  object.prefix_ = fmt::format("{}{}.", prefix_, name);
  return object;
}

void JsonObject::fail(std::string_view key, std::string_view what) const {
  throw Error(ErrorKind::kBadInput, fmt::format("{}: key '{}{}' {}", origin_, prefix_, key, what));
}

const Json* JsonObject::find(std::string_view key) const {
  const auto at = values_->find(key);
  return at == values_->end() || at->is_null() ? nullptr : &*at;
}

const Json& JsonObject::need(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) fail(key, "is missing");
  return *value;
}

std::int64_t JsonObject::integer(std::string_view key) const {
  const Json& value = need(key);
  if (!value.is_number_integer()) fail(key, "is not an integer");
  return value.get<std::int64_t>();
}

std::int64_t JsonObject::integer(std::string_view key, std::int64_t otherwise) const {
  return has(key) ? integer(key) : otherwise;
}

double JsonObject::number(std::string_view key) const {
  const Json& value = need(key);
  if (!value.is_number()) fail(key, "is not a number");
  return value.get<double>();
}

double JsonObject::number(std::string_view key, double otherwise) const { return has(key) ? number(key) : otherwise; }

bool JsonObject::flag(std::string_view key, bool otherwise) const {
  const Json* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) fail(key, "is not true or false");
  return value->get<bool>();
}

std::string JsonObject::text(std::string_view key) const {
  const Json& value = need(key);
  if (!value.is_string()) fail(key, "is not a string");
  return value.get<std::string>();
}

std::string JsonObject::text(std::string_view key, std::string_view otherwise) const {
  return has(key) ? text(key) : std::string(otherwise);
}

std::vector<std::int64_t> JsonObject::integers(std::string_view key) const {
  const Json& value = need(key);
  if (value.is_number_integer()) return {value.get<std::int64_t>()};
  if (!value.is_array()) fail(key, "is not a list of integers");
  std::vector<std::int64_t> values;
  for (const Json& element : value) {
    if (!element.is_number_integer()) fail(key, "is not a list of integers");
    values.push_back(element.get<std::int64_t>());
  }
  return values;
}

std::vector<std::int64_t> JsonObject::integers(std::string_view key, std::vector<std::int64_t> otherwise) const {
  return has(key) ? integers(key) : std::move(otherwise);
}

std::vector<double> JsonObject::numbers(std::string_view key) const {
  const Json& value = need(key);
  if (!value.is_array()) fail(key, "is not a list of numbers");
  std::vector<double> values;
  for (const Json& element : value) {
    if (!element.is_number()) fail(key, "is not a list of numbers");
    values.push_back(element.get<double>());
  }
  return values;
}

std::vector<std::string> JsonObject::texts(std::string_view key) const {
  const Json& value = need(key);
  if (!value.is_array()) fail(key, "is not a list of strings");
  std::vector<std::string> values;
  for (const Json& element : value) {
    if (!element.is_string()) fail(key, "is not a list of strings");
    values.push_back(element.get<std::string>());
  }
  return values;
}

std::int64_t JsonObject::count(std::string_view key) const {
  const Json* value = find(key);
  return value != nullptr && value->is_structured() ? static_cast<std::int64_t>(value->size()) : 0;
}

}  // namespace nongemm
