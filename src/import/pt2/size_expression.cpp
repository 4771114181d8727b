#include "import/pt2/size_expression.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "base/error.h"

namespace nongemm::pt2 {
namespace {

using Number = std::optional<double>;
using Numbers = std::vector<double>;

/// Nested deeper than any size is.
constexpr int kMaxDepth = 100;

double floor_mod(double a, double b) { return a - b * std::floor(a / b); }

double fold(const Numbers& values, double (*combine)(double, double)) {
  double result = values.at(0);
  for (std::size_t i = 1; i < values.size(); ++i) result = combine(result, values[i]);
  return result;
}

/// sympy's and torch.utils._sympy's functions by name; at least `arguments` arguments.
struct Function {
  std::string_view name;
  std::size_t arguments;
  double (*apply)(const Numbers&);
};

constexpr std::array kFunctions = {
    Function{"Integer", 1, [](const Numbers& v) { return v[0]; }},
    Function{"Float", 1, [](const Numbers& v) { return v[0]; }},
    Function{"Rational", 2, [](const Numbers& v) { return v[0] / v[1]; }},
    Function{"Add", 1, [](const Numbers& v) { return fold(v, [](double a, double b) { return a + b; }); }},
    Function{"Mul", 1, [](const Numbers& v) { return fold(v, [](double a, double b) { return a * b; }); }},
    Function{"Max", 1, [](const Numbers& v) { return fold(v, [](double a, double b) { return std::max(a, b); }); }},
    Function{"Min", 1, [](const Numbers& v) { return fold(v, [](double a, double b) { return std::min(a, b); }); }},
    Function{"Pow", 2, [](const Numbers& v) { return std::pow(v[0], v[1]); }},
    Function{"PowByNatural", 2, [](const Numbers& v) { return std::pow(v[0], v[1]); }},
    Function{"FloatPow", 2, [](const Numbers& v) { return std::pow(v[0], v[1]); }},
    Function{"Mod", 2, [](const Numbers& v) { return floor_mod(v[0], v[1]); }},
    Function{"PythonMod", 2, [](const Numbers& v) { return floor_mod(v[0], v[1]); }},
    Function{"ModularIndexing", 3, [](const Numbers& v) { return floor_mod(std::floor(v[0] / v[1]), v[2]); }},
    Function{"FloorDiv", 2, [](const Numbers& v) { return std::floor(v[0] / v[1]); }},
    Function{"CleanDiv", 2, [](const Numbers& v) { return std::floor(v[0] / v[1]); }},
    Function{"CeilDiv", 2, [](const Numbers& v) { return std::ceil(v[0] / v[1]); }},
    Function{"IntTrueDiv", 2, [](const Numbers& v) { return v[0] / v[1]; }},
    Function{"FloatTrueDiv", 2, [](const Numbers& v) { return v[0] / v[1]; }},
    Function{"LShift", 2, [](const Numbers& v) { return v[0] * std::exp2(v[1]); }},
    Function{"RShift", 2, [](const Numbers& v) { return std::floor(v[0] / std::exp2(v[1])); }},
    Function{"TruncToInt", 1, [](const Numbers& v) { return std::trunc(v[0]); }},
    Function{"TruncToFloat", 1, [](const Numbers& v) { return std::trunc(v[0]); }},
    Function{"FloorToInt", 1, [](const Numbers& v) { return std::floor(v[0]); }},
    Function{"CeilToInt", 1, [](const Numbers& v) { return std::ceil(v[0]); }},
    Function{"RoundToInt", 1, [](const Numbers& v) { return std::nearbyint(v[0]); }},
    Function{"floor", 1, [](const Numbers& v) { return std::floor(v[0]); }},
    Function{"ceiling", 1, [](const Numbers& v) { return std::ceil(v[0]); }},
    Function{"ToFloat", 1, [](const Numbers& v) { return v[0]; }},
    Function{"Identity", 1, [](const Numbers& v) { return v[0]; }},
    Function{"Abs", 1, [](const Numbers& v) { return std::abs(v[0]); }},
    Function{"sqrt", 1, [](const Numbers& v) { return std::sqrt(v[0]); }},
    Function{"OpaqueUnaryFn_sqrt", 1, [](const Numbers& v) { return std::sqrt(v[0]); }},
    Function{"OpaqueUnaryFn_log2", 1, [](const Numbers& v) { return std::log2(v[0]); }},
    Function{"Where", 3, [](const Numbers& v) { return v[0] != 0 ? v[1] : v[2]; }},
    Function{"Equality", 2, [](const Numbers& v) { return v[0] == v[1] ? 1.0 : 0.0; }},
    Function{"Eq", 2, [](const Numbers& v) { return v[0] == v[1] ? 1.0 : 0.0; }},
    Function{"Unequality", 2, [](const Numbers& v) { return v[0] != v[1] ? 1.0 : 0.0; }},
    Function{"Ne", 2, [](const Numbers& v) { return v[0] != v[1] ? 1.0 : 0.0; }},
    Function{"StrictLessThan", 2, [](const Numbers& v) { return v[0] < v[1] ? 1.0 : 0.0; }},
    Function{"LessThan", 2, [](const Numbers& v) { return v[0] <= v[1] ? 1.0 : 0.0; }},
    Function{"StrictGreaterThan", 2, [](const Numbers& v) { return v[0] > v[1] ? 1.0 : 0.0; }},
    Function{"GreaterThan", 2, [](const Numbers& v) { return v[0] >= v[1] ? 1.0 : 0.0; }},
    Function{"And", 1, [](const Numbers& v) { return fold(v, [](double a, double b) { return a != 0 ? b : a; }); }},
    Function{"Or", 1, [](const Numbers& v) { return fold(v, [](double a, double b) { return a != 0 ? a : b; }); }},
    Function{"Not", 1, [](const Numbers& v) { return v[0] == 0 ? 1.0 : 0.0; }},
};

constexpr std::array<std::pair<std::string_view, double>, 8> kConstants = {{{"true", 1},
                                                                            {"false", 0},
                                                                            {"True", 1},
                                                                            {"False", 0},
                                                                            {"oo", INFINITY},
                                                                            {"int_oo", INFINITY},
                                                                            {"inf", INFINITY},
                                                                            {"nan", NAN}}};

/// Infix operators by how tightly they bind; a longer one stands before its own beginning.
struct Infix {
  std::string_view text;
  int binding;
  std::string_view function;
};

constexpr std::array kInfix = {
    Infix{"==", 1, "Eq"},
    Infix{"!=", 1, "Ne"},
    Infix{"<=", 1, "LessThan"},
    Infix{">=", 1, "GreaterThan"},
    Infix{"<", 1, "StrictLessThan"},
    Infix{">", 1, "StrictGreaterThan"},
    Infix{"+", 2, "Add"},
    Infix{"-", 2, "-"},
    Infix{"**", 5, "Pow"},
    Infix{"*", 3, "Mul"},
    Infix{"//", 3, "FloorDiv"},
    Infix{"/", 3, "Rational"},
    Infix{"%", 3, "Mod"},
};
constexpr int kUnaryBinding = 4;
constexpr int kPowerBinding = 5;

class Evaluator {
 public:
  Evaluator(std::string_view text, const SymbolLookup& lookup) : text_(text), lookup_(lookup) {}

  Number evaluate() {
    const Number value = expression(0);
    if (peek() != '\0') fail("unexpected text");
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorKind::kBadInput, "size expression '" + std::string(text_.substr(0, 200)) + "': " + what +
                                          " at position " + std::to_string(at_));
  }

  char peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(std::string_view token) {
    peek();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) fail("expected '" + std::string(token) + "'");
  }

  const Infix* next_infix() {
    peek();
    for (const Infix& infix : kInfix) {
      if (text_.substr(at_, infix.text.size()) == infix.text) return &infix;
    }
    return nullptr;
  }

  /// An expression whose operators bind tighter than `binding`.
  Number expression(int binding) {
    if (++depth_ > kMaxDepth) fail("it is nested too deeply");
    Number left = operand();
    for (const Infix* infix = next_infix(); infix != nullptr && infix->binding > binding; infix = next_infix()) {
      at_ += infix->text.size();
      // A power binds from the right: 2**3**2.
      const Number right = expression(infix->binding == kPowerBinding ? infix->binding - 1 : infix->binding);
      if (!left || !right) {
        left.reset();
      } else if (infix->function == "-") {
        left = *left - *right;
      } else {
        left = apply(infix->function, {*left, *right});
      }
    }
    --depth_;
    return left;
  }

  Number operand() {
    const char c = peek();
    if (accept("(")) {
      const Number inner = expression(0);
      expect(")");
      return inner;
    }
    if (accept("-")) {
      const Number inner = expression(kUnaryBinding);
      return inner ? Number(-*inner) : inner;
    }
    if (c == '\'' || c == '"') return number(quoted());  // Float('0.5', precision=53)
    if (std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.') return number(digits());
    const std::string name = word();
    if (peek() == '(') return call(name);
    for (const auto& [constant, value] : kConstants) {
      if (constant == name) return value;
    }
    return lookup_(name);
  }

  std::string word() {
    peek();
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
      ++at_;
    if (begin == at_) fail("expected a name");
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted() {
    const char quote = text_[at_++];
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("unclosed text");
    std::string content(text_.substr(at_, end - at_));
    at_ = end + 1;
    return content;
  }

  std::string digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '.' ||
                                  ((text_[at_] == '-' || text_[at_] == '+') && text_[at_ - 1] == 'e'))) {
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  double number(const std::string& digits) const {
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) fail("'" + digits + "' is no number");
    return value;
  }

  Number call(const std::string& name) {
    expect("(");
    const bool is_symbol = name == "Symbol" || name == "Dummy";
    std::string symbol;
    if (is_symbol && (peek() == '\'' || peek() == '"')) symbol = quoted();
    Numbers values;
    bool known = true;
    while (!accept(")")) {
      accept(",");
      if (skip_keyword()) continue;
      const Number value = expression(0);
      known = known && value.has_value();
      values.push_back(value.value_or(0));
      if (peek() != ',' && peek() != ')') fail("expected ',' or ')'");
    }
    if (is_symbol) return lookup_(symbol);
    const double result = apply(name, values);  // also tells of functions that are not known
    return known ? Number(result) : std::nullopt;
  }

  /// `positive=True`, which sympy's notation adds to symbols.
  bool skip_keyword() {
    peek();
    const std::size_t begin = at_;
    std::size_t end = at_;
    while (end < text_.size() && (std::isalpha(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '_'))
      ++end;
    if (end == begin || end + 1 >= text_.size() || text_[end] != '=' || text_[end + 1] == '=') return false;
    at_ = end + 1;
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ')') ++at_;
    return true;
  }

  double apply(std::string_view name, const Numbers& values) const {
    for (const Function& function : kFunctions) {
      if (function.name != name) continue;
      if (values.size() < function.arguments) fail(std::string(name) + " has too few arguments");
      return function.apply(values);
    }
    throw Error(ErrorKind::kUnsupported,
                "size expression '" + std::string(text_.substr(0, 200)) + "' uses '" + std::string(name) + "'");
  }

  std::string_view text_;
  const SymbolLookup& lookup_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<double> evaluate_size(std::string_view text, const SymbolLookup& lookup) {
  return Evaluator(text, lookup).evaluate();
}

}  // namespace nongemm::pt2
