#include "weights/weight_spec.h"

#include "graph/graph.h"

namespace nongemm::weights {

std::vector<WeightSpec> weight_specs(const Graph& graph) {
  std::vector<WeightSpec> specs;
  specs.reserve(graph.weights.size());
  for (const Weight& weight : graph.weights) {
    const Type& type = graph.values[weight.value].type;
    specs.push_back({weight.name, type.dtype, type.shape, weight.init, weight.aliases});
  }
  return specs;
}

}  // namespace nongemm::weights
