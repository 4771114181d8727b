#include "ops/schema.h"

#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/error.h"

namespace nongemm {
namespace {

constexpr std::array<std::pair<std::string_view, ArgKind>, 13> kKinds = {{
    {"Tensor", ArgKind::kTensor},
    {"SymInt", ArgKind::kInt},
    {"int", ArgKind::kInt},
    {"SymFloat", ArgKind::kFloat},
    {"float", ArgKind::kFloat},
    {"SymBool", ArgKind::kBool},
    {"bool", ArgKind::kBool},
    {"str", ArgKind::kString},
    {"Scalar", ArgKind::kScalar},
    {"ScalarType", ArgKind::kDType},
    {"Device", ArgKind::kDevice},
    {"Layout", ArgKind::kLayout},
    {"MemoryFormat", ArgKind::kMemoryFormat},
}};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Schema parse() {
    Schema schema;
    schema.name = take_until(".(");
    if (peek() == '.') {
      ++at_;
      schema.overload = take_until("(");
    }
    schema.args = arguments();
    skip("->");
    if (peek() == '(') {
      schema.results = arguments();
    } else {
      SchemaArg result = type();
      schema.results.push_back(std::move(result));
    }
    return schema;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kBadInput,
                "operator schema '" + std::string(text_) + "': " + what + " at position " + std::to_string(at_));
  }

  void skip_space() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(std::string_view token) {
    skip_space();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  void skip(std::string_view token) {
    if (!accept(token)) fail("expected '" + std::string(token) + "'");
  }

  std::string take_until(std::string_view ends) {
    const std::size_t end = text_.find_first_of(ends, at_);
    if (end == std::string_view::npos) fail("expected one of '" + std::string(ends) + "'");
    std::string taken(text_.substr(at_, end - at_));
    at_ = end;
    return taken;
  }

  std::string word() {
    skip_space();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_')) {
      ++at_;
    }
    if (begin == at_) fail("expected a name");
    return std::string(text_.substr(begin, at_ - begin));
  }

  SchemaArg type() {
    SchemaArg arg;
    const std::string kind = word();
    if (kind == "Generator") {
      arg.kind = ArgKind::kGenerator;
    } else {
      bool known = false;
      for (const auto& [name, value] : kKinds) {
        if (name == kind) {
          arg.kind = value;
          known = true;
        }
      }
      if (!known) fail("unknown type '" + kind + "'");
    }
    if (peek() == '(') {  // alias annotation: (a), (a!), (a -> *)
      const std::size_t end = text_.find(')', at_);
      if (end == std::string_view::npos) fail("unclosed alias annotation");
      arg.written = text_.substr(at_, end - at_).find('!') != std::string_view::npos;
      at_ = end + 1;
    }
    bool optional = accept("?");
    if (accept("[")) {
      arg.list = true;
      arg.optional_element = optional;
      if (peek() != ']') {
        arg.fixed_size = std::stoi(word());
      }
      skip("]");
      // The alias annotation of list elements stands before the brackets, that of the list after them.
      if (peek() == '(') at_ = text_.find(')', at_) + 1;
      optional = accept("?");
    }
    arg.optional = optional;
    return arg;
  }

  std::vector<SchemaArg> arguments() {
    std::vector<SchemaArg> args;
    skip("(");
    bool keyword_only = false;
    while (peek() != ')') {
      if (accept("*")) {
        keyword_only = true;
        skip(",");
        continue;
      }
      SchemaArg arg = type();
      arg.keyword_only = keyword_only;
      if (peek() != ',' && peek() != ')') arg.name = word();
      if (accept("=")) {
        arg.has_default = true;
        arg.default_value = literal(arg);
      }
      args.push_back(std::move(arg));
      if (!accept(",") && peek() != ')') fail("expected ',' or ')'");
    }
    skip(")");
    return args;
  }

  Argument number(std::string_view text, const SchemaArg& arg) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) fail("bad number '" + std::string(text) + "'");
    const bool whole = text.find_first_of(".eE") == std::string_view::npos;
    if (arg.kind == ArgKind::kFloat || !whole) return value;
    return static_cast<std::int64_t>(value);
  }

  Argument literal(const SchemaArg& arg) {
    if (accept("None")) return std::monostate{};
    if (accept("True")) return true;
    if (accept("False")) return false;
    if (peek() == '"' || peek() == '\'') {
      const char quote = text_[at_++];
      std::string value = take_until(std::string_view(&quote, 1));
      ++at_;
      return value;
    }
    if (accept("[")) {
      std::vector<Int> values;
      while (peek() != ']') {
        const std::size_t end = text_.find_first_of(",]", at_);
        if (end == std::string_view::npos) fail("unclosed list");
        values.emplace_back(std::stoll(std::string(text_.substr(at_, end - at_))));
        at_ = end;
        accept(",");
      }
      skip("]");
      return values;
    }
    skip_space();
    if (std::isalpha(static_cast<unsigned char>(peek())) != 0) {
      const std::string name = word();  // Mean, contiguous_format, long
      if (arg.kind != ArgKind::kDType) return name;
      if (name == "long") return DType::kInt64;
      fail("unknown element type '" + name + "'");
    }
    const std::size_t end = text_.find_first_of(",) ", at_);
    const Argument value = number(text_.substr(at_, end - at_), arg);
    at_ = end;
    if (arg.list) {  // "int[2] padding=0" means [0, 0]
      return std::vector<Int>(static_cast<std::size_t>(arg.fixed_size > 0 ? arg.fixed_size : 1),
                              Int(std::get<std::int64_t>(value)));
    }
    if (arg.kind == ArgKind::kMemoryFormat) return std::string("contiguous_format");
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string Schema::qualified_name() const {
  std::string result = name;
  if (const std::size_t colons = result.find("::"); colons != std::string::npos) result.replace(colons, 2, ".");
  return result + "." + (overload.empty() ? "default" : overload);
}

int Schema::find_arg(std::string_view arg_name) const {
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].name == arg_name) return static_cast<int>(i);
  }
  return -1;
}

bool Schema::writes() const {
  for (const SchemaArg& arg : args) {
    if (arg.written) return true;
  }
  return false;
}

bool accepts(const SchemaArg& arg, const Argument& value) {
  const auto is = [&]<typename... Kinds>() { return (std::holds_alternative<Kinds>(value) || ...); };
  if (is.template operator()<std::monostate>()) {
    // An absent device is the device of the run, even where the schema asks for one.
    return arg.optional || arg.kind == ArgKind::kGenerator || arg.kind == ArgKind::kDevice;
  }
  switch (arg.kind) {
    case ArgKind::kTensor:
      return arg.list ? is.template operator()<std::vector<Use>, Use>()
                      : is.template operator()<Use, std::int64_t, double, bool>();
    case ArgKind::kInt:
      return arg.list ? is.template operator()<std::vector<Int>>() : is.template operator()<std::int64_t, Use>();
    case ArgKind::kFloat:
      return arg.list ? is.template operator()<std::vector<double>>() : is.template operator()<double, Use>();
    case ArgKind::kBool:
      return arg.list ? is.template operator()<std::vector<bool>>() : is.template operator()<bool, Use>();
    case ArgKind::kScalar:
      return is.template operator()<std::int64_t, double, bool, Use>();
    case ArgKind::kDType:
      return is.template operator()<DType>();
    case ArgKind::kString:
    case ArgKind::kDevice:
    case ArgKind::kLayout:
    case ArgKind::kMemoryFormat:
      return is.template operator()<std::string>();
    case ArgKind::kGenerator:
      return false;
  }
  return false;
}

Schema parse_schema(std::string_view text) { return Parser(text).parse(); }

}  // namespace nongemm
