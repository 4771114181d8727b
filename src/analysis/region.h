// What a set of graph nodes moves when it runs as one: the traffic between its nodes stays inside.
#pragma once

#include <span>
#include <vector>

#include "analysis/analysis.h"

namespace nongemm {

/// Knows who uses which value, views seen through.
class Regions {
 public:
  /// @param nodes the graph's nodes, costed, by NodeId
  Regions(const Graph& graph, const std::vector<NodeRow>& nodes);

  /// Work of the nodes together, one call each: flops added up, and the bytes that enter or leave the set.
  /// @param nodes ascending
  /// @param shared by NodeId, how many such sets a node's work is divided between
  Cost cost_of(std::span<const NodeId> nodes, std::span<const int> shared) const;

 private:
  /// What is left of a node's cost when values between `nodes` stay inside.
  Cost cost_within(std::span<const NodeId> nodes, NodeId id) const;
  /// The value whose storage a view shows.
  ValueId root(ValueId value) const { return roots_[value]; }
  double bytes_of(ValueId value) const;

  const Graph& graph_;
  const std::vector<NodeRow>& rows_;
  std::vector<ValueId> roots_;
  std::vector<std::vector<NodeId>> users_;  // by root: nodes that read it, views left out
  std::vector<bool> leaves_;                // by root: it is a result of the graph or of a block
};

}  // namespace nongemm
