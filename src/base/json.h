// JSON of files that are not trusted, and the one place that parses and prints it. Who holds a Json rather than a
// reference to one includes <nlohmann/json.hpp>, which is slow to compile.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/error.h"

namespace nongemm {

using Json = nlohmann::json;
/// Members in the order of the text.
using OrderedJson = nlohmann::ordered_json;

/// What tools really write is read, too: numbers that are none, as Python and C++ print them (NaN, nan, Infinity, inf,
/// with their sign), become texts, which as_number() takes; raw control characters inside of strings are kept.
/// @param origin for messages: a file, or an archive's entry
/// @throws Error (kBadInput) with the place of what is wrong; more than 400 levels count as wrong: no honest file has
/// them,
///   and walking, copying or printing such a tree takes more stack than there is
Json parse_json(std::string_view text, const std::string& origin);
/// Null for whatever is no JSON.
Json parse_json_or_null(std::string_view text);
OrderedJson parse_ordered_json(std::string_view text, const std::string& origin);

/// As text that is valid whatever strings hold: bytes that are no UTF-8 are replaced. NaN is null.
/// @param indent of a level; -1 for one line
std::string dump_json(const Json& json, int indent = -1);
std::string dump_json(const OrderedJson& json, int indent = -1);

// Checked access. Every function throws Error(kBadInput) that names the key; callers add the file and the place.

/// The place that callers add: errors of `read` get it in front.
template <typename Read>
decltype(auto) within(const std::string& place, Read&& read) {
  try {
    return read();
  } catch (const Error& error) {
    throw Error(error.kind(), place + ": " + error.what());
  }
}

/// Throws when `object` is no object or lacks the key.
const Json& member(const Json& object, const char* key);
/// nullptr when the key is missing or null.
const Json* find_member(const Json& object, const char* key);
const Json& array_at(const Json& object, const char* key);
const Json& object_at(const Json& object, const char* key);
const std::string& text_at(const Json& object, const char* key);
std::int64_t integer_at(const Json& object, const char* key);
/// Empty when the key is missing or no text.
std::string text_or_empty(const Json& object, const char* key);

const std::string& as_text(const Json& value);
std::int64_t as_integer(const Json& value);
/// Numbers, and those that are none, as texts.
double as_number(const Json& value);
bool as_flag(const Json& value);

}  // namespace nongemm
