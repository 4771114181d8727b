// What a plan means for a graph: the weights that are cut, and the layers whose results are gathered.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "passes/tensor_parallel/placement.h"
#include "passes/tensor_parallel/plan.h"

namespace nongemm::passes {

struct CutWeights {
  std::map<ValueId, Placement> placements;
  /// Nodes whose results every rank gets whole.
  std::set<NodeId> gathered;
  /// Of those: layers that use some rows of a weight that each rank has whole, since something else wants it whole (the
  /// embedding that a head is tied to).
  std::set<NodeId> of_whole_weight;
  /// What the plan would cut and what stays whole: "lm_head: 50257 do not divide by 2".
  std::vector<std::string> left_whole;
};

/// @throws Error (kUsage) for sizes that do not divide by the ranks, and for a plan that cuts nothing
CutWeights cut_weights(const Graph& graph, const ParallelPlan& plan, std::int64_t ranks);

}  // namespace nongemm::passes
