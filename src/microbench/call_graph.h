// A call as a graph of one operator, and a graph's nodes as calls.
#pragma once

#include <string>
#include <vector>

#include "microbench/call.h"
#include "microbench/operators.h"

namespace nongemm::microbench {

struct CallGraph {
  Graph graph;
  std::vector<TensorSpec> inputs;      // in the order of Graph::inputs
  std::vector<TensorSpec> parameters;  // in the order of Graph::weights
};

/// @param repeat how often the operator stands in the graph, with the same operands
/// Throws Error(kUsage, kBadInput) naming the operator when its operands do not fit.
CallGraph graph_of(const Call& call, int repeat);

/// Tensors of what the specs say, drawn from the seed.
std::vector<HostTensor> make_tensors(const std::vector<TensorSpec>& specs, std::uint64_t seed);

/// Nodes of one graph as calls.
class NodeCalls {
 public:
  /// Both have to outlive it.
  NodeCalls(const Graph& graph, const SchemaSource& runtime);

  /// Throws Error(kUnsupported) when an operand is only known during the run, for control nodes and for what Python
  /// does by itself.
  Call call_of(const Node& node) const;

 private:
  const Graph& graph_;
  const SchemaSource& runtime_;
  std::vector<bool> is_weight_;  // by value
};

/// Whether eager PyTorch would call the runtime for it and the runtime would do something: no loops and branches, no
/// numbers computed on the host, no dropout at inference.
bool is_operator_call(const Node& node);

}  // namespace nongemm::microbench
