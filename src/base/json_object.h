// A JSON object of a file, read with types: every complaint names the file and the key.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace nongemm {

/// Read-only. Getters throw Error(kBadInput) naming the file and the key when a key is of the wrong type, or missing
/// where nothing stands in for it. A key that is null counts as missing.
class JsonObject {
 public:
  /// Throws Error(kBadInput) unless the file holds one JSON object of at most `max_bytes`.
  JsonObject(const std::filesystem::path& path, std::size_t max_bytes);
  /// @param origin for messages: a path or a name
  static JsonObject parse(std::string_view text, const std::string& origin);
  /// No file: every key is missing.
  static JsonObject empty(std::string origin);
  /// An object inside of this one's values; `name` is put before its keys in complaints.
  JsonObject inner(std::string_view name, const Json& values) const;

  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// nullptr when the key is missing.
  const Json* find(std::string_view key) const;
  const Json& need(std::string_view key) const;
  const Json& values() const { return *values_; }

  std::int64_t integer(std::string_view key) const;
  std::int64_t integer(std::string_view key, std::int64_t otherwise) const;
  double number(std::string_view key) const;
  double number(std::string_view key, double otherwise) const;
  bool flag(std::string_view key, bool otherwise) const;
  std::string text(std::string_view key) const;
  std::string text(std::string_view key, std::string_view otherwise) const;
  /// A list of integers; a single number is a list of one.
  std::vector<std::int64_t> integers(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key, std::vector<std::int64_t> otherwise) const;
  std::vector<double> numbers(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  /// A nested object.
  JsonObject object(std::string_view key) const { return inner(key, need(key)); }
  /// Number of entries of an object or list; 0 when missing.
  std::int64_t count(std::string_view key) const;

  /// The file.
  const std::string& origin() const { return origin_; }
  /// Throws Error(kBadInput): "FILE: key 'KEY' WHAT".
  [[noreturn]] void fail(std::string_view key, std::string_view what) const;

 private:
  JsonObject(std::string origin, std::shared_ptr<const Json> values)
      : origin_(std::move(origin)), values_(std::move(values)) {}

  std::string origin_;  // the file
  std::string prefix_;  // the way to this object, with a dot at its end
  std::shared_ptr<const Json> values_;
};

}  // namespace nongemm
