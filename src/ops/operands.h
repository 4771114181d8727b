// A node's operands as the rules of the operator table read them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "ops/schema.h"

namespace nongemm {

/// Positions are those of the schema. Every accessor throws Error(kBadInput) when the operand has another kind.
class Operands {
 public:
  Operands(const Graph& graph, const Node& node, const Schema& schema) : graph_(graph), node_(node), schema_(schema) {}

  std::size_t size() const { return node_.args.size(); }
  /// False for None.
  bool has(std::size_t i) const;
  /// A tensor value rather than a number in a tensor's place.
  bool is_tensor(std::size_t i) const;
  const Type& tensor(std::size_t i) const;
  /// A tensor whose dimensions a rule counts on: files state shapes, and they may be wrong.
  const Type& tensor(std::size_t i, std::size_t least_rank) const;
  /// Elements of a tensor list; absent elements are nullptr.
  std::vector<const Type*> tensors(std::size_t i) const;
  /// kDynamic when a node computes it.
  std::int64_t integer(std::size_t i) const;
  std::vector<std::int64_t> integers(std::size_t i) const;
  /// An int[2] that may have been given as one number or left empty.
  std::vector<std::int64_t> pair(std::size_t i, std::int64_t if_empty) const;
  double number(std::size_t i) const;
  /// The number is a float literal (decides type promotion of Python scalars).
  bool is_float(std::size_t i) const;
  bool flag(std::size_t i) const;
  std::string_view text(std::size_t i) const;
  /// A dtype argument, `otherwise` when None.
  DType dtype(std::size_t i, DType otherwise) const;
  /// By argument name, for rules that serve several schemas.
  std::size_t position(std::string_view name) const;

  const Argument& raw(std::size_t i) const { return node_.args.at(i); }
  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  const Schema& schema() const { return schema_; }

 private:
  [[noreturn]] void fail(std::size_t i, std::string_view wanted) const;

  const Graph& graph_;
  const Node& node_;
  const Schema& schema_;
};

}  // namespace nongemm
