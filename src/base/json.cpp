#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace nongemm {
namespace {

[[noreturn]] void fail(const std::string& what) { throw Error(ErrorKind::kBadInput, what); }

constexpr int kMostDepth = 400;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether a word stands for a number that is none, as Python or C++ print it; then as_number()'s name of it.
std::string_view number_of(std::string_view word) {
  if (word == "NaN" || word == "nan") return "NaN";
  if (word == "Infinity" || word == "inf") return "Infinity";
  return {};
}

/// The text as a strict parser wants it. Counts levels on the way.
class Repair {
 public:
  Repair(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {}

  void check_depth() {
    while (at_ < text_.size()) {
      if (text_[at_] == '"') {
        skip_string();
      } else {
        count_depth(text_[at_++]);
      }
    }
  }

  std::string strict() {
    strict_.reserve(text_.size() + 64);
    while (at_ < text_.size()) {
      if (text_[at_] == '"') {
        copy_string();
      } else if (is_letter(text_[at_])) {
        copy_word();
      } else {
        strict_ += text_[at_++];
      }
    }
    return std::move(strict_);
  }

 private:
  void skip_string() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return;
      }
    }
  }

  void count_depth(char c) {
    if (c == '[' || c == '{') ++depth_;
    if (c == ']' || c == '}') --depth_;
    if (depth_ > kMostDepth) fail(fmt::format("{}: nested more than {} deep at byte {}", origin_, kMostDepth, at_));
  }

  void copy_string() {
    const std::size_t begin = at_;
    skip_string();
    for (const char c : text_.substr(begin, at_ - begin)) {
      if (static_cast<unsigned char>(c) < 0x20) {
        strict_ += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
      } else {
        strict_ += c;
      }
    }
  }

  void copy_word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    const std::string_view number = number_of(word);
    if (number.empty()) {
      strict_ += word;
      return;
    }
    const bool negative = !strict_.empty() && strict_.back() == '-';
    if (negative) strict_.pop_back();
    strict_ += fmt::format("\"{}{}\"", negative ? "-" : "", number);
  }

  std::string_view text_;
  const std::string& origin_;
  std::string strict_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

template <typename AnyJson>
AnyJson parse_repaired(std::string_view text, const std::string& origin) {
  const std::string strict = Repair(text, origin).strict();
  try {
    return AnyJson::parse(strict);
  } catch (const typename AnyJson::parse_error& error) {
    const bool truncated = error.byte >= strict.size();
    throw Error(ErrorKind::kBadInput,
                fmt::format("{} is not valid JSON: {} byte {} of {}", origin,
                            truncated ? "it ends too early, at" : "damaged near", std::min(error.byte, text.size()),
                            text.size()),
                "write the file again with the tool that made it");
  } catch (const typename AnyJson::out_of_range&) {
    fail(origin + " is not valid JSON: a number in it is out of range");
  }
}

template <typename AnyJson>
AnyJson parse(std::string_view text, const std::string& origin) {
  Repair(text, origin).check_depth();
  AnyJson json = AnyJson::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_discarded() ? parse_repaired<AnyJson>(text, origin) : json;
}

}  // namespace

Json parse_json(std::string_view text, const std::string& origin) { return parse<Json>(text, origin); }

Json parse_json_or_null(std::string_view text) {
  try {
    return parse_json(text, "");
  } catch (const Error&) {
    return nullptr;
  }
}

OrderedJson parse_ordered_json(std::string_view text, const std::string& origin) {
  return parse<OrderedJson>(text, origin);
}

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string dump_json(const OrderedJson& json, int indent) {
  return json.dump(indent, ' ', /*ensure_ascii=*/false, OrderedJson::error_handler_t::replace);
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

std::string text_or_empty(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
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
  if (value == "NaN" || value == "-NaN") return NAN;
  fail("expected a number");
}

bool as_flag(const Json& value) {
  if (!value.is_boolean()) fail("expected true or false");
  return value.get<bool>();
}

}  // namespace nongemm
