#include "import/pt2/symbols.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "import/pt2/arguments.h"
#include "import/pt2/size_expression.h"

namespace nongemm::pt2 {
namespace {

/// Whole numbers up to here are exact.
constexpr double kLargest = 9007199254740992.0;
/// So that counts of bytes stay far from overflow.
constexpr double kMostElements = 1e15;

std::int64_t whole(double value) {
  if (!(std::abs(value) <= kLargest) || value != std::floor(value)) {
    throw Error(ErrorKind::kBadInput, fmt::format("a size comes to {}, which is no size", value));
  }
  return static_cast<std::int64_t>(value);
}

/// The size that the example had, which the file notes beside the expression.
std::optional<double> hint_of(const Json& symbolic) {
  const Json* expression = find_member(symbolic, "as_expr");
  const Json* hint = expression == nullptr ? nullptr : find_member(*expression, "hint");
  if (hint == nullptr) return std::nullopt;
  return as_number(hint->is_object() ? *union_of(*hint).second : *hint);
}

const std::string* expression_of(const Json& symbolic) {
  const Json* expression = find_member(symbolic, "as_expr");
  return expression == nullptr ? nullptr : &text_at(*expression, "expr_str");
}

}  // namespace

std::optional<double> Symbols::value(const Json& symbolic) const {
  if (const std::string* expression = expression_of(symbolic)) {
    return evaluate_size(*expression, [&](const std::string& symbol) -> std::optional<double> {
      const auto at = values_.find(symbol);
      return at == values_.end() ? std::nullopt : std::optional(at->second);
    });
  }
  const auto [tag, content] = union_of(symbolic);
  if (tag == "as_bool") return as_flag(*content) ? 1.0 : 0.0;
  return as_number(*content);
}

std::int64_t Symbols::size(const Json& sym_int) const {
  const std::optional<double> known = value(sym_int);
  return known ? whole(*known) : kDynamic;
}

Shape Symbols::strides(const Json& list) const {
  Shape strides;
  for (const Json& stride : list) {
    strides.push_back(size(stride));
    if (strides.back() < kDynamic) throw Error(ErrorKind::kBadInput, "a size is negative");
  }
  return strides;
}

Shape Symbols::shape(const Json& sizes) const {
  Shape shape = strides(sizes);
  double elements = 1;
  for (const std::int64_t size : shape) {
    elements *= static_cast<double>(std::max<std::int64_t>(size, 1));
  }
  if (elements > kMostElements) throw Error(ErrorKind::kBadInput, to_string(shape) + " is absurdly large");
  return shape;
}

void Symbols::solve(const std::string& expression, double wanted) {
  std::set<std::string> unknown;
  const auto at = [&](double guess) {
    return evaluate_size(expression, [&](const std::string& symbol) -> std::optional<double> {
      const auto found = values_.find(symbol);
      if (found != values_.end()) return found->second;
      unknown.insert(symbol);
      return guess;
    });
  };
  const double first = at(1).value_or(0);
  const double slope = at(2).value_or(0) - first;
  if (unknown.size() != 1 || slope == 0) return;
  const double solution = 1 + (wanted - first) / slope;
  if (solution != std::floor(solution) || at(solution) != wanted) return;
  values_[*unknown.begin()] = solution;
}

void Symbols::check_range(const std::string& symbol, double value) const {
  const Json* range = find_member(*ranges_, symbol.c_str());
  if (range == nullptr) return;
  const Json* least = find_member(*range, "min_val");
  const Json* most = find_member(*range, "max_val");
  const bool too_small = least != nullptr && value < as_number(*least);
  const bool too_large = most != nullptr && value > as_number(*most);
  if (!too_small && !too_large) return;
  throw Error(ErrorKind::kUsage,
              fmt::format("size {} = {} lies outside [{}, {}], for which the model was exported", symbol, value,
                          least != nullptr ? least->dump() : "0", most != nullptr ? most->dump() : "any"));
}

void Symbols::bind(const std::vector<SizedInput>& inputs) {
  for (const SizedInput& input : inputs) {
    if (input.shape && input.shape->size() != input.sizes->size()) {
      throw Error(ErrorKind::kUsage, fmt::format("input '{}' has {} dimensions, {} are given", input.name,
                                                 input.sizes->size(), input.shape->size()));
    }
  }
  // What the user says first, then the example's sizes for what that leaves open. Twice each: the symbol of a derived
  // size may stand alone in a later input.
  for (const bool given : {true, true, false, false}) {
    for (const SizedInput& input : inputs) {
      if (input.shape.has_value() != given) continue;
      for (std::size_t i = 0; i < input.sizes->size(); ++i) {
        const Json& size = (*input.sizes)[i];
        const std::string* expression = expression_of(size);
        if (expression == nullptr || value(size)) continue;
        const std::optional<double> wanted = given ? static_cast<double>((*input.shape)[i]) : hint_of(size);
        if (wanted) solve(*expression, *wanted);
      }
    }
  }
  for (const SizedInput& input : inputs) {
    for (std::size_t i = 0; input.shape && i < input.sizes->size(); ++i) {
      const std::int64_t needed = size((*input.sizes)[i]);
      if (needed == (*input.shape)[i]) continue;
      throw Error(ErrorKind::kUsage,
                  fmt::format("input '{}': dimension {} is {}, the model takes {}", input.name, i, (*input.shape)[i],
                              needed == kDynamic ? "another size" : std::to_string(needed)),
                  "a dimension is free only if it was exported as one (dynamic_shapes)");
    }
  }
  for (const auto& [symbol, value] : values_) check_range(symbol, value);
}

void Symbols::bind_batch(const std::vector<SizedInput>& inputs, std::int64_t batch) {
  for (const SizedInput& input : inputs) {
    if (input.shape || input.sizes->empty()) continue;
    const Json& size = (*input.sizes)[0];
    const std::string* expression = expression_of(size);
    if (expression != nullptr && !value(size)) solve(*expression, static_cast<double>(batch));
    const std::int64_t known = this->size(size);
    if (known == batch || (expression != nullptr && known == kDynamic)) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("batch {} is not possible: dimension 0 of input '{}' is {}", batch, input.name, known),
                "a dimension is free only if it was exported as one (dynamic_shapes)");
  }
}

void Symbols::bind_number(const std::string& name, const Json& sym_int, std::optional<std::int64_t> given) {
  const std::string* expression = expression_of(sym_int);
  const std::optional<double> wanted = given ? static_cast<double>(*given) : hint_of(sym_int);
  if (expression != nullptr && wanted && !value(sym_int)) solve(*expression, *wanted);
  const std::optional<double> known = value(sym_int);
  if (!known) {
    throw Error(ErrorKind::kUsage, "input '" + name + "' is a number that the file does not say",
                "give it: --input " + name + "=NUMBER");
  }
  if (given && *known != static_cast<double>(*given)) {
    throw Error(ErrorKind::kUsage, fmt::format("input '{}' is {}, the model takes {}", name, *given, *known));
  }
  for (const auto& [symbol, value] : values_) check_range(symbol, value);
}

}  // namespace nongemm::pt2
