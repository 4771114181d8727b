// Expressions over symbolic sizes as exported programs hold them: sympy's constructor notation
// ("Mul(Integer(2), Symbol('s0', integer=True))", torch 2.7 and later) or plain text ("2*s0", "(s0//2)").
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace nongemm::pt2 {

/// The value of a symbol, or nothing when it is not known. Symbols are named as in the file: "s0", "u1".
using SymbolLookup = std::function<std::optional<double>(const std::string& symbol)>;

/// Truth values are 1 and 0. Nothing when a symbol that is needed is unknown.
/// @throws Error (kBadInput) for text that is no expression, (kUnsupported) for a function that is not known
std::optional<double> evaluate_size(std::string_view text, const SymbolLookup& lookup);

}  // namespace nongemm::pt2
