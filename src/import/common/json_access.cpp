#include "import/common/json_access.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace nongemm::pt2 {
namespace {

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorKind::kBadInput, what); }

constexpr int kMaxDepth = 400;

/// Numbers that JSON does not have and Python's json module writes all the same; torch 2.7 and later write them as
/// texts.
constexpr std::array<std::string_view, 3> kBareNumbers = {"-Infinity", "Infinity", "NaN"};

/// `text` with those numbers as texts, which `as_number` reads; empty when it has none.
std::string quote_bare_numbers(std::string_view text) {
  std::string quoted;
  std::size_t copied = 0;
  bool in_text = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') in_text = !in_text;
    if (in_text) {
      if (text[at] == '\\') ++at;
      continue;
    }
    for (const std::string_view number : kBareNumbers) {
      if (!text.substr(at).starts_with(number)) continue;
      quoted.append(text, copied, at - copied).append(1, '"').append(number).append(1, '"');
      copied = at + number.size();
      at = copied - 1;
      break;
    }
  }
  return copied == 0 ? std::string() : quoted.append(text, copied);
}

Json parse_checked(std::string_view text, const std::string& what) {
  const auto check_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) fail(what + " is nested too deeply");
    return true;
  };
  return Json::parse(text, check_depth, /*allow_exceptions=*/false);
}

}  // namespace

Json parse_json(std::string_view text, const std::string& what) {
  Json json = parse_checked(text, what);
  if (json.is_discarded()) json = parse_checked(quote_bare_numbers(text), what);
  if (json.is_discarded()) throw Error(ErrorKind::kBadInput, what + " is not valid JSON", "export the model again");
  return json;
}

const Json* find_member(const Json& object, const char* key) {
  if (!object.is_object()) fail(std::string("expected an object with '") + key + "'");
  const auto at = object.find(key);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

const Json& member(const Json& object, const char* key) {
  const Json* found = find_member(object, key);
  if (found == nullptr) fail(std::string("'") + key + "' is missing");
  return *found;
}

const Json& array_at(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_array()) fail(std::string("'") + key + "' is no list");
  return value;
}

const Json& object_at(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_object()) fail(std::string("'") + key + "' is no object");
  return value;
}

const std::string& text_at(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_string()) fail(std::string("'") + key + "' is no text");
  return value.get_ref<const std::string&>();
}

std::int64_t integer_at(const Json& object, const char* key) {
  const Json& value = member(object, key);
  if (!value.is_number_integer()) fail(std::string("'") + key + "' is no integer");
  return value.get<std::int64_t>();
}

const std::string& as_text(const Json& value) {
  if (!value.is_string()) fail("expected a text");
  return value.get_ref<const std::string&>();
}

std::int64_t as_integer(const Json& value) {
  if (!value.is_number_integer()) fail("expected an integer");
  return value.get<std::int64_t>();
}

double as_number(const Json& value) {
  if (value.is_number()) return value.get<double>();
  if (value == "Infinity") return INFINITY;
  if (value == "-Infinity") return -INFINITY;
  if (value == "NaN") return NAN;
  fail("expected a number");
}

bool as_flag(const Json& value) {
  if (!value.is_boolean()) fail("expected true or false");
  return value.get<bool>();
}

std::pair<std::string_view, const Json*> union_of(const Json& value) {
  if (!value.is_object() || value.size() != 1) fail("expected an object with one member");
  return {value.begin().key(), &*value.begin()};
}

}  // namespace nongemm::pt2
