// A model's configuration: the keys of its config.json (Hugging Face) or its constructor's arguments (torchvision).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm {

/// Limits that no real model comes near, so that a hostile configuration cannot ask for endless graphs or tables.
inline constexpr std::int64_t kMostLayers = 4096;
inline constexpr std::int64_t kMostPositions = std::int64_t{1} << 22;

/// Read-only. Getters throw Error(kBadInput) naming the file and key when a key is missing or of the wrong type.
class Config {
 public:
  /// @param origin for messages: a path or a registry name
  static Config parse(std::string_view json_text, std::string origin);
  static Config read_file(const std::string& path);

  /// Present and not null.
  bool has(std::string_view key) const;

  std::int64_t integer(std::string_view key) const;
  std::int64_t integer(std::string_view key, std::int64_t otherwise) const;
  /// integer() that must be at least 1: head counts, layer sizes.
  std::int64_t positive(std::string_view key) const;
  std::int64_t positive(std::string_view key, std::int64_t otherwise) const;
  /// Under `alias`, the key that other models use for the same, which wins as in transformers' attribute_map, or `key`.
  std::int64_t positive(std::string_view key, std::string_view alias, std::int64_t otherwise) const;
  /// integer() in [1, most].
  std::int64_t bounded(std::string_view key, std::int64_t otherwise, std::int64_t most) const;
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
  Config object(std::string_view key) const;
  /// Number of entries of an object or list; 0 when absent.
  std::int64_t count(std::string_view key) const;
  /// Classes of a transformers model: num_labels, which wins where both are given, or the entries of id2label, or 2.
  std::int64_t labels() const;

  const std::string& origin() const { return origin_; }
  /// What is wrong with `key`, with this configuration's origin.
  [[noreturn]] void fail(std::string_view key, std::string_view what) const;

 private:
  struct Json;
  std::shared_ptr<const Json> json_;
  std::string origin_;
};

}  // namespace nongemm
