#include "models/config.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json_depth.h"

namespace nongemm {

struct Config::Json {
  nlohmann::json value;
};

Config Config::parse(std::string_view json_text, std::string origin) {
  Config config;
  config.origin_ = std::move(origin);
  check_json_depth(json_text, config.origin_);
  nlohmann::json value = nlohmann::json::parse(json_text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) throw Error(ErrorKind::kBadInput, config.origin_ + " is not valid JSON");
  if (!value.is_object()) throw Error(ErrorKind::kBadInput, config.origin_ + " is not a JSON object");
  config.json_ = std::make_shared<const Json>(Json{std::move(value)});
  return config;
}

Config Config::read_file(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{16} << 20;  // the largest published config.json is below 1 MB
  return parse(nongemm::read_file(path, kMostBytes), path);
}

void Config::fail(std::string_view key, std::string_view what) const {
  throw Error(ErrorKind::kBadInput, origin_ + ": key '" + std::string(key) + "' " + std::string(what));
}

namespace {

const nlohmann::json* find(const nlohmann::json& object, std::string_view key) {
  const auto at = object.find(key);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

}  // namespace

bool Config::has(std::string_view key) const { return find(json_->value, key) != nullptr; }

std::int64_t Config::integer(std::string_view key) const {
  const nlohmann::json* value = find(json_->value, key);
  if (value == nullptr) fail(key, "is missing");
  if (!value->is_number_integer()) fail(key, "is not an integer");
  return value->get<std::int64_t>();
}

std::int64_t Config::integer(std::string_view key, std::int64_t otherwise) const {
  return has(key) ? integer(key) : otherwise;
}

std::int64_t Config::positive(std::string_view key) const {
  constexpr std::int64_t kMost = std::int64_t{1} << 31;  // keeps products of sizes far from overflow
  const std::int64_t value = integer(key);
  if (value < 1 || value > kMost) fail(key, "is " + std::to_string(value) + ", must be at least 1");
  return value;
}

std::int64_t Config::positive(std::string_view key, std::int64_t otherwise) const {
  return has(key) ? positive(key) : otherwise;
}

std::int64_t Config::positive(std::string_view key, std::string_view alias, std::int64_t otherwise) const {
  return positive(has(alias) ? alias : key, otherwise);
}

std::int64_t Config::bounded(std::string_view key, std::int64_t otherwise, std::int64_t most) const {
  const std::int64_t value = positive(key, otherwise);
  if (value > most) fail(key, "is " + std::to_string(value) + ", must be at most " + std::to_string(most));
  return value;
}

double Config::number(std::string_view key) const {
  const nlohmann::json* value = find(json_->value, key);
  if (value == nullptr) fail(key, "is missing");
  if (!value->is_number()) fail(key, "is not a number");
  return value->get<double>();
}

double Config::number(std::string_view key, double otherwise) const { return has(key) ? number(key) : otherwise; }

bool Config::flag(std::string_view key, bool otherwise) const {
  const nlohmann::json* value = find(json_->value, key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) fail(key, "is not true or false");
  return value->get<bool>();
}

std::string Config::text(std::string_view key) const {
  const nlohmann::json* value = find(json_->value, key);
  if (value == nullptr) fail(key, "is missing");
  if (!value->is_string()) fail(key, "is not a string");
  return value->get<std::string>();
}

std::string Config::text(std::string_view key, std::string_view otherwise) const {
  return has(key) ? text(key) : std::string(otherwise);
}

std::vector<std::int64_t> Config::integers(std::string_view key) const {
  const nlohmann::json* value = find(json_->value, key);
  if (value == nullptr) fail(key, "is missing");
  if (value->is_number_integer()) return {value->get<std::int64_t>()};
  if (!value->is_array()) fail(key, "is not a list of integers");
  std::vector<std::int64_t> values;
  for (const nlohmann::json& element : *value) {
    if (!element.is_number_integer()) fail(key, "is not a list of integers");
    values.push_back(element.get<std::int64_t>());
  }
  return values;
}

std::vector<std::int64_t> Config::integers(std::string_view key, std::vector<std::int64_t> otherwise) const {
  return has(key) ? integers(key) : std::move(otherwise);
}

std::vector<double> Config::numbers(std::string_view key) const {
  const nlohmann::json* value = find(json_->value, key);
  if (value == nullptr) fail(key, "is missing");
  if (!value->is_array()) fail(key, "is not a list of numbers");
  std::vector<double> values;
  for (const nlohmann::json& element : *value) {
    if (!element.is_number()) fail(key, "is not a list of numbers");
    values.push_back(element.get<double>());
  }
  return values;
}

std::vector<std::string> Config::texts(std::string_view key) const {
  const nlohmann::json* value = find(json_->value, key);
  if (value == nullptr) fail(key, "is missing");
  if (!value->is_array()) fail(key, "is not a list of strings");
  std::vector<std::string> values;
  for (const nlohmann::json& element : *value) {
    if (!element.is_string()) fail(key, "is not a list of strings");
    values.push_back(element.get<std::string>());
  }
  return values;
}

Config Config::object(std::string_view key) const {
  const nlohmann::json* value = find(json_->value, key);
  if (value == nullptr) fail(key, "is missing");
  if (!value->is_object()) fail(key, "is not an object");
  Config config;
  config.origin_ = origin_ + ", " + std::string(key);
  config.json_ = std::make_shared<const Json>(Json{*value});
  return config;
}

std::int64_t Config::count(std::string_view key) const {
  const nlohmann::json* value = find(json_->value, key);
  return value != nullptr && value->is_structured() ? static_cast<std::int64_t>(value->size()) : 0;
}

std::int64_t Config::labels() const {
  const std::int64_t named = count("id2label");
  return positive("num_labels", named > 0 ? named : 2);
}

}  // namespace nongemm
