// How operators pass on that their operands are cut: what a rank computes of a node, by operator.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "ops/op.h"
#include "passes/tensor_parallel/placement.h"

namespace nongemm::passes {

/// One node, as it is and as a rank is to run it. Sizes are those of the whole.
class CutNode {
 public:
  /// @param placement of a value of the graph
  CutNode(const Graph& graph, const Node& node, const Op& op, std::int64_t ranks,
          const std::function<const Placement&(ValueId)>& placement);

  /// What a rank runs: sizes among the arguments are rewritten.
  Node node;
  /// Of the results, in order.
  std::vector<Placement> results;
  /// Operands of which a rank takes its part first: position and dimension.
  struct Narrowed {
    std::size_t position;
    std::size_t dim;
  };
  std::vector<Narrowed> narrowed;
  /// Added once the ranks' results are summed.
  std::optional<ValueId> bias;

  std::int64_t ranks() const { return ranks_; }
  std::size_t size() const { return whole_.args.size(); }
  bool is_tensor(std::size_t position) const;
  const Placement& at(std::size_t position) const;
  const Shape& shape(std::size_t position) const;
  const Shape& result_shape(std::size_t i = 0) const { return graph_.values[whole_.outputs[i]].type.shape; }
  /// The first operand that is cut.
  std::size_t cut_operand() const;
  const Argument& argument(std::size_t position) const { return whole_.args[position]; }
  std::optional<std::int64_t> integer(std::size_t position) const;
  /// A dimension, counted from the front.
  std::size_t dim(std::size_t position, std::size_t rank) const;
  std::vector<std::int64_t> integers(std::size_t position) const;
  /// Values of a list, absent ones left out.
  std::vector<ValueId> list(std::size_t position) const;
  const Placement& placement(ValueId value) const { return placement_(value); }
  const Type& type(ValueId value) const { return graph_.values[value].type; }

  /// A rank's share of a size; @throws Error (kUsage) naming the module where it does not divide.
  std::int64_t share(std::int64_t size) const;
  void all_results(const Placement& placement) { results.assign(whole_.outputs.size(), placement); }
  [[noreturn]] void fail(const std::string& why) const;
  /// The operator writes into its first operand.
  bool writes() const { return op_.schema.writes(); }

 private:
  const Graph& graph_;
  const Node& whole_;
  const Op& op_;
  std::int64_t ranks_;
  const std::function<const Placement&(ValueId)>& placement_;
};

using CutRule = void (*)(CutNode&);

/// The rule of an operator, nullptr for one that takes whole operands alone.
CutRule find_cut_rule(const Op& op);

/// Whether a partial operand makes the result partial: the operator is linear in it.
bool keeps_partial(const Graph& graph, const Node& node, ValueId partial);

namespace cut_rules {  // by file

struct NamedRule {
  std::string_view op;
  CutRule rule;
};
std::vector<NamedRule> layout_rules();
std::vector<NamedRule> product_rules();
std::vector<NamedRule> write_rules();

}  // namespace cut_rules

}  // namespace nongemm::passes
