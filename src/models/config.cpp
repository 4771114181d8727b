#include "models/config.h"

#include <nlohmann/json.hpp>

namespace nongemm {

Config Config::read_file(const std::string& path) {
  constexpr std::size_t kMostBytes = std::size_t{16} << 20;  // the largest published config.json is below 1 MB
  return JsonObject(path, kMostBytes);
}

bool Config::is_null(std::string_view key) const { return values().contains(key) && !has(key); }

Config Config::object_or_empty(std::string_view key) const {
  return has(key) ? object(key) : Config(JsonObject::empty(origin()));
}

Config Config::overlaid(const Config& over) const {
  Json all = values();
  all.update(over.values());
  return JsonObject::parse(dump_json(all), origin());
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

std::int64_t Config::labels() const {
  const std::int64_t named = count("id2label");
  return positive("num_labels", named > 0 ? named : 2);
}

}  // namespace nongemm
