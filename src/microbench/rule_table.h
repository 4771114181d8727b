// The rules for operands that were not given: operator, argument, value. A new rule is one row in rule_table.cpp.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "microbench/call.h"

namespace nongemm::microbench {

/// A call whose operands are partly known, as rules read it.
class Filling {
 public:
  Filling(const Call& call, const std::vector<bool>& known) : call_(call), known_(known) {}

  const OperatorInfo& info() const { return call_.info; }
  /// The first tensor, of a list its first element. Throws Error(kUsage) when nothing says what it is.
  const TensorSpec& main() const;
  /// A tensor by name; nullptr when it is not known (yet) or none.
  const TensorSpec* tensor(std::string_view name) const;
  /// Of the first tensor, counted from the end when negative. Throws Error(kUsage) when it has not as many dimensions.
  std::int64_t size(std::int64_t dim) const;
  /// An integer argument, its schema's default, or `otherwise`.
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  /// A list of integers; empty when it is not known.
  Shape integers(std::string_view name) const;

 private:
  const Call& call_;
  const std::vector<bool>& known_;
};

/// A tensor's shape, or the value of another argument.
using Made = std::variant<Shape, Argument>;

/// @param required the schema has no default for it
std::optional<Made> rule_value(const Filling& filling, const SchemaArg& arg, bool required);

}  // namespace nongemm::microbench
