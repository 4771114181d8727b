// States that a model keeps between passes (graph/state.h): a cache of keys and values is cut as what is put into it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "passes/tensor_parallel/placement.h"

namespace nongemm::passes {

/// By input.
using CutStates = std::map<ValueId, Placement>;

class StateCuts {
 public:
  /// @param known from an attempt before
  StateCuts(const Graph& graph, CutStates known);

  /// Where a node has a state, or a whole value that was made of nothing but one, beside an operand that is cut: the
  /// values that are cut likewise from here on.
  std::vector<std::pair<ValueId, Placement>> meet(const Node& node,
                                                  const std::function<const Placement&(ValueId)>& placement);

  const CutStates& known() const { return known_; }
  /// Something had been made of a state before it was known to be cut: the graph has to be cut anew.
  bool came_late() const { return late_; }

 private:
  const Graph& graph_;
  CutStates known_;
  std::map<ValueId, ValueId> origins_;  // of values that states alone were made into, the states
  std::set<ValueId> used_;              // states
  bool late_ = false;
};

}  // namespace nongemm::passes
