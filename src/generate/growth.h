// How the graph of one token differs from that of the next: only in sizes that have grown. A step's program is then
// bound once, and before each token a few integers are put in their places.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "flows/flow.h"
#include "graph/graph.h"

namespace nongemm {

/// A known integer of a node that is another one in a later step.
struct Growth {
  NodeId node = kNoId;
  std::uint32_t position = 0;     // of the argument
  std::uint32_t element = kNoId;  // of its list; kNoId: the argument itself
  std::int64_t value = 0;         // in the first step
  std::int64_t slope = 0;         // per step

  bool operator==(const Growth&) const = default;
};

/// From a graph to the one `steps` later; nothing where they differ in more than integers that grow evenly. The types
/// of values are not compared: they follow from these.
std::optional<std::vector<Growth>> growth_between(const Graph& first, const Graph& later, std::int64_t steps);

/// The arguments of a step, `steps` after the first.
std::vector<ArgumentChange> changes_at(const Graph& first, const std::vector<Growth>& growth, std::int64_t steps);

/// Steps that one graph stands for.
struct GrowingGraph {
  std::shared_ptr<const Graph> graph;  // of the first
  std::int64_t first = 0, last = 0;    // both in
  std::vector<Growth> growth;
};

/// The longest run of steps from `first` that one graph stands for. A window that fills up, or a rotary table of
/// another length, ends it.
/// @param build the graph of a step
/// @param last of the steps that there are
GrowingGraph growing_graph(const std::function<Graph(std::int64_t step)>& build, std::int64_t first, std::int64_t last);

}  // namespace nongemm
