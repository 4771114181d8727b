// Checked access to JSON of files that are not trusted. Every function throws Error(kBadInput) that names the key;
// callers add the file and the place.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace nongemm::pt2 {

using Json = nlohmann::json;

/// Nested at most so deep that walking it needs no deep stack.
/// @param what for messages: a file or an archive's entry
Json parse_json(std::string_view text, const std::string& what);

/// Throws when `object` is no object or lacks the key.
const Json& member(const Json& object, const char* key);
/// nullptr when the key is missing or null.
const Json* find_member(const Json& object, const char* key);
const Json& array_at(const Json& object, const char* key);
const Json& object_at(const Json& object, const char* key);
const std::string& text_at(const Json& object, const char* key);
std::int64_t integer_at(const Json& object, const char* key);

const std::string& as_text(const Json& value);
std::int64_t as_integer(const Json& value);
/// Numbers, and "Infinity", "-Infinity", "NaN" as text.
double as_number(const Json& value);
bool as_flag(const Json& value);

/// A tagged union, {"as_tensor": {...}}: its tag and its content.
std::pair<std::string_view, const Json*> union_of(const Json& value);

}  // namespace nongemm::pt2
