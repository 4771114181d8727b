// A model's configuration: the keys of its config.json (Hugging Face) or its constructor's arguments (torchvision).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/json_object.h"

namespace nongemm {

/// Limits that no real model comes near, so that a hostile configuration cannot ask for endless graphs or tables.
inline constexpr std::int64_t kMostLayers = 4096;
inline constexpr std::int64_t kMostPositions = std::int64_t{1} << 22;

/// A key that is wrong is named with the file.
class Config : public JsonObject {
 public:
  /// Every key is missing.
  Config() : JsonObject(JsonObject::empty("")) {}
  /// @param origin for messages: a path or a registry name
  static Config parse(std::string_view json_text, const std::string& origin) {
    return JsonObject::parse(json_text, origin);
  }
  static Config read_file(const std::string& path);

  /// Present as null, which is not the default: "no sliding window", "no middle block".
  bool is_null(std::string_view key) const;

  /// integer() that must be at least 1: head counts, layer sizes.
  std::int64_t positive(std::string_view key) const;
  std::int64_t positive(std::string_view key, std::int64_t otherwise) const;
  /// Under `alias`, the key that other models use for the same, which wins as in transformers' attribute_map, or `key`.
  std::int64_t positive(std::string_view key, std::string_view alias, std::int64_t otherwise) const;
  /// integer() in [1, most].
  std::int64_t bounded(std::string_view key, std::int64_t otherwise, std::int64_t most) const;
  /// A nested object.
  Config object(std::string_view key) const { return JsonObject::object(key); }
  /// The same; without keys when absent.
  Config object_or_empty(std::string_view key) const;
  /// This object with the keys of `over`, which win.
  Config overlaid(const Config& over) const;
  /// Classes of a transformers model: num_labels, which wins where both are given, or the entries of id2label, or 2.
  std::int64_t labels() const;

 private:
  Config(JsonObject object) : JsonObject(std::move(object)) {}  // NOLINT(google-explicit-constructor): it is one
};

}  // namespace nongemm
