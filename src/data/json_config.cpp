#include "data/json_config.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json_depth.h"

namespace nongemm::data {

using Json = nlohmann::json;

namespace {

Json parse(const std::filesystem::path& path, std::size_t max_bytes) {
  const std::string text = read_file(path, max_bytes);
  check_json_depth(text, path.string());
  return Json::parse(text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace

JsonConfig::JsonConfig(const std::filesystem::path& path, std::size_t max_bytes)
    : name_(path.string()), values_(std::make_shared<const Json>(parse(path, max_bytes))) {
  if (!values_->is_object()) throw Error(ErrorKind::kBadInput, name_ + ": not a JSON object");
}

JsonConfig::JsonConfig(const JsonConfig& parent, std::string_view name, const Json& values)
    : name_(parent.name_), prefix_(fmt::format("{}{}.", parent.prefix_, name)), values_(parent.values_, &values) {
  if (!values.is_object()) parent.refuse(name, "has to be an object");
}

JsonConfig::JsonConfig(std::string_view name) : name_(name), values_(std::make_shared<const Json>(Json::object())) {}

const Json& JsonConfig::values() const { return *values_; }

const Json* JsonConfig::find(std::string_view key) const {
  const auto found = values_->find(key);
  return found == values_->end() || found->is_null() ? nullptr : &*found;
}

const Json& JsonConfig::need(std::string_view key) const {
  const Json* value = find(key);
  if (value == nullptr) refuse(key, "is missing");
  return *value;
}

bool JsonConfig::flag(std::string_view key, bool otherwise) const {
  const Json* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse(key, "has to be true or false");
  return value->get<bool>();
}

std::string JsonConfig::text(std::string_view key, std::string_view otherwise) const {
  const Json* value = find(key);
  if (value == nullptr) return std::string(otherwise);
  if (!value->is_string()) refuse(key, "has to be a string");
  return value->get<std::string>();
}

double JsonConfig::number(std::string_view key, double otherwise) const {
  const Json* value = find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_number()) refuse(key, "has to be a number");
  return value->get<double>();
}

void JsonConfig::refuse(std::string_view key, std::string_view problem) const {
  throw Error(ErrorKind::kBadInput, fmt::format("{}: key '{}{}' {}", name_, prefix_, key, problem));
}

}  // namespace nongemm::data
