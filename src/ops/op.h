// The operator table: one entry per operator, everything known about it in one place.
// An entry stands in the file of its group (activation.cpp, memory.cpp, ...); README.md says how to add one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "ops/group.h"
#include "ops/operands.h"
#include "ops/schema.h"

namespace nongemm {

/// What the paper's Table II says of an operator.
struct Traits {
  bool single_operation = false;  // one arithmetic or memory operation, not a sequence of them
  bool single_operand = false;    // one tensor operand besides its parameters
  bool nonlinear = false;
  bool dynamic = false;    // the work, or the size of the result, depends on the data
  bool reduction = false;  // elements of the result depend on many elements of an operand

  bool operator==(const Traits&) const = default;
};

/// In place of work that is not known, because a size is not or no rule says: it carries through every calculation.
inline constexpr double kUnknownWork = std::numeric_limits<double>::quiet_NaN();

/// Work of one call. Bytes are the least that must move: every operand read once, every result written once. What is
/// not known is kUnknownWork, never 0.
struct Cost {
  double flops = 0;
  double bytes_read = 0;
  double bytes_written = 0;

  double bytes() const { return bytes_read + bytes_written; }
};

/// Work of several operators. What is not known of some of them is left out and counted.
class CostSum {
 public:
  /// @param calls of an operator that works this much in each
  void add(const Cost& cost, double calls = 1);

  /// Of all operators whose work is known; kUnknownWork where that is none of those that were added.
  Cost known() const;
  /// Operators whose floating point operations, or bytes, `known` is without.
  std::int64_t without_flops() const { return added_ - with_flops_; }
  std::int64_t without_bytes() const { return added_ - with_bytes_; }

 private:
  Cost sum_;
  std::int64_t added_ = 0;
  std::int64_t with_flops_ = 0;
  std::int64_t with_bytes_ = 0;
};

using InferRule = std::vector<Type> (*)(const Operands& operands);
using CostRule = Cost (*)(const Operands& operands, std::span<const Type> results);

class OnnxLowering;
/// Emits ONNX nodes for one graph node; defined beside the entry it belongs to.
using LowerRule = void (*)(OnnxLowering& lowering);

/// One row of the table, as it is written down.
struct OpEntry {
  std::string_view schema;
  Group group = Group::kOther;
  /// The operator's common name within its group: "LayerNorm". In-place and overload variants share it.
  std::string_view variant;
  Traits traits;
  InferRule infer = nullptr;
  CostRule cost = nullptr;
  /// Operations of real numbers in each that `cost` counts, where an operand or a result is complex: 2 for a sum, 6 for
  /// a product. Where nobody says it, the work on complex numbers is unknown.
  double complex_work = kUnknownWork;
  LowerRule lower = nullptr;
  /// Of a view: emits operand 0 with the view's elements replaced, for operators that write through it.
  LowerRule lower_write = nullptr;
  /// Names that foreign traces give it.
  std::initializer_list<std::string_view> known_as = {};
};

/// A row with its schema read.
struct Op {
  OpEntry entry;
  Schema schema;
  std::string name;  // "aten.add.Tensor"
};

/// The whole table, built at first use. Immutable afterwards and safe to share between threads.
class OpTable {
 public:
  static const OpTable& get();

  /// By qualified name ("aten.add.Tensor"); nullptr when the operator is not in the table.
  const Op* find(std::string_view name) const;
  /// Throws Error(kUnsupported) with the nearest names.
  const Op& at(std::string_view name) const;
  std::span<const Op> all() const { return ops_; }

 private:
  OpTable();
  std::vector<Op> ops_;
  struct Index;
  std::vector<std::pair<std::string_view, std::size_t>> by_name_;  // sorted
};

/// Types of a node's results by its operator's rule. Errors name the operator, the operand types and the scope.
std::vector<Type> infer_types(const Graph& graph, const Node& node, const Op& op);

/// Work of a node; zero for views. What depends on a size that only the run knows is kUnknownWork.
Cost cost_of(const Graph& graph, const Node& node, const Op& op);

/// The group of an operator as it ran: a reshape that could be a view is layout, one that copied is movement.
Group group_of(const Graph& graph, const Node& node, const Op& op);

}  // namespace nongemm
