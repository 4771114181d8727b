#include "ops/memory.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ops/rules.h"

namespace nongemm {

double known_bytes_of(const Type& type) {
  const double bytes = rules::bytes_of(type);
  return std::isnan(bytes) ? 0.0 : bytes;
}

MemoryEstimate estimate_memory(const Graph& graph) {
  // Every value belongs to a storage; an alias belongs to its first operand's.
  std::vector<ValueId> storage(graph.values.size());
  for (ValueId id = 0; id < storage.size(); ++id) storage[id] = id;
  std::vector<std::size_t> last_use(graph.values.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    ValueId first = kNoId;
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId id) {
        if (first == kNoId) first = id;
        last_use[storage[id]] = i;
      });
    }
    for (const ValueId id : node.outputs) {
      if (graph.values[id].type.alias && first != kNoId) storage[id] = storage[first];
      last_use[storage[id]] = std::max(last_use[storage[id]], i);
    }
  }
  for (const Output& output : graph.outputs) last_use[storage[output.value]] = graph.nodes.size();

  MemoryEstimate estimate;
  for (const Weight& weight : graph.weights) estimate.weights += known_bytes_of(graph.values[weight.value].type);
  for (const Constant& constant : graph.constants) {
    estimate.weights += known_bytes_of(graph.values[constant.value].type);
  }
  std::vector<std::vector<ValueId>> dying(graph.nodes.size() + 1);
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    if (storage[id] == id && graph.values[id].producer != kNoId) dying[last_use[id]].push_back(id);
  }
  double alive = 0;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const ValueId id : graph.nodes[i].outputs) {
      if (storage[id] == id) alive += known_bytes_of(graph.values[id].type);
    }
    estimate.activations = std::max(estimate.activations, alive);
    for (const ValueId id : dying[i]) alive -= known_bytes_of(graph.values[id].type);
  }
  return estimate;
}

}  // namespace nongemm
