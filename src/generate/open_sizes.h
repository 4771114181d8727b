// A step's graph whose growing sizes are inputs, for runtimes that take a graph as it is and cannot be given other
// arguments afterwards: one program for all steps that a graph stands for.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "generate/growth.h"

namespace nongemm {

/// An integer that grows evenly from step to step.
struct GrowingSize {
  std::int64_t value = 0;  // in the first step
  std::int64_t slope = 0;  // per step

  bool operator==(const GrowingSize&) const = default;
};

struct OpenGraph {
  /// Values, nodes and inputs as in the growing graph, under the same numbers. Behind its inputs stand `size.N`, one
  /// for each of `sizes`: integers (Type::Kind::kInt). Sizes of values that grow with them are kDynamic.
  std::shared_ptr<const Graph> graph;
  std::vector<GrowingSize> sizes;
};

/// @param last the graph of the last step that `growing` stands for
OpenGraph open_sizes(const GrowingGraph& growing, const Graph& last);

/// What the inputs `size.N` are, `steps` after the first.
std::vector<std::int64_t> sizes_at(const OpenGraph& open, std::int64_t steps);

}  // namespace nongemm
