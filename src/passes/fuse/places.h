// What a search for operators that belong together asks of a graph.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "passes/rewrite.h"

namespace nongemm::passes {

/// Nodes that one operator can stand for: some get a replacement, nobody needs the others afterwards.
struct Place {
  std::map<NodeId, Replacement> replaced;
  std::vector<NodeId> gone;
};

/// A graph, and who uses what. Values of control nodes' bodies are found as any others; what crosses a block's border
/// belongs to no place.
class Search {
 public:
  explicit Search(const Graph& graph);

  const Graph& graph() const { return graph_; }
  const Type& type(ValueId value) const { return graph_.values[value].type; }
  /// Has both the same shape, element type and order in memory.
  bool alike(ValueId a, ValueId b) const;
  /// Whether the result is in memory what an operator makes of `of` that goes element by element.
  bool keeps_layout(ValueId of, ValueId result) const;
  bool is_weight(ValueId value) const { return weights_.contains(value); }

  /// The node that makes the value, if it is a call of `op`.
  const Node* made_by(ValueId value, std::string_view op) const;
  NodeId maker(ValueId value) const { return graph_.values[value].producer; }
  NodeId id_of(const Node& node) const { return static_cast<NodeId>(&node - graph_.nodes.data()); }
  /// The one node that uses the value, where there is no other use.
  const Node* only_user(ValueId value) const;

  /// The tensor operand at a position; kNoId for everything else.
  static ValueId operand(const Node& node, std::size_t position);
  /// The other operand of a node of two; kNoId where it is no tensor.
  static ValueId other_operand(const Node& node, ValueId value);
  /// A number, or none.
  static std::optional<double> number(const Node& node, std::size_t position);
  /// Whether that is the number that a formula has there, as near as texts of programs say it.
  static bool is_number(const Node& node, std::size_t position, double value);

  /// What was converted, where the value is a conversion to that type: to(x, dtype), type_as(x, y).
  ValueId converted(ValueId value, DType dtype) const;

  /// Adds the conversion that makes the value to what goes. One that has nothing to convert stays: an exported program
  /// goes on with its result in place of its operand, and what nobody needs is left out anyway.
  void add_maker(ValueId converted_value, std::vector<NodeId>& gone) const;

  /// Whether nobody else uses what goes, all stands in one block, and nothing of it is written in place.
  bool can_go(const Place& place) const;

 private:
  bool is_written(ValueId value) const { return written_.contains(root_[value]); }

  const Graph& graph_;
  std::vector<std::vector<NodeId>> users_;  // by value, an entry a use; kNoId for results and outputs
  std::vector<BlockId> block_;              // by node
  std::vector<ValueId> root_;               // by value: whose storage it shares
  std::set<ValueId> written_;               // roots
  std::set<ValueId> weights_;
};

}  // namespace nongemm::passes
