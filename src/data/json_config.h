// A JSON object from a file, read with types: every complaint names the file and the key.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace nongemm::data {

class JsonConfig {
 public:
  /// Throws Error(kBadInput) unless the file holds one JSON object of at most `max_bytes`.
  JsonConfig(const std::filesystem::path& path, std::size_t max_bytes);
  /// An object inside of `parent`'s values; `name` is put before its keys in complaints.
  JsonConfig(const JsonConfig& parent, std::string_view name, const nlohmann::json& values);
  /// No file: every key is absent.
  explicit JsonConfig(std::string_view name);

  /// nullptr when the key is absent or null.
  const nlohmann::json* find(std::string_view key) const;
  /// As find, but refuses absence.
  const nlohmann::json& need(std::string_view key) const;
  const nlohmann::json& values() const;

  bool flag(std::string_view key, bool otherwise) const;
  std::string text(std::string_view key, std::string_view otherwise = "") const;
  double number(std::string_view key, double otherwise) const;

  /// Throws Error(kBadInput): "FILE: key 'KEY' PROBLEM".
  [[noreturn]] void refuse(std::string_view key, std::string_view problem) const;
  /// The file.
  const std::string& name() const { return name_; }

 private:
  std::string name_;    // the file, and the way to this object
  std::string prefix_;  // of its keys
  std::shared_ptr<const nlohmann::json> values_;
};

}  // namespace nongemm::data
