// What a model wants to be given: the link between a graph and whatever supplies its weights.
#pragma once

#include <string>
#include <vector>

#include "base/init_spec.h"
#include "base/tensor.h"

namespace nongemm {
struct Graph;
}

namespace nongemm::weights {

struct WeightSpec {
  /// In the original's state dict.
  std::string name;
  /// The type in which the model runs, whatever the checkpoint holds.
  DType dtype = DType::kFloat32;
  Shape shape;
  InitSpec init = {};
  /// Further names under which a checkpoint may hold the same tensor (tied weights).
  std::vector<std::string> aliases = {};
};

/// One per weight of the graph, in its order.
std::vector<WeightSpec> weight_specs(const Graph& graph);

}  // namespace nongemm::weights
