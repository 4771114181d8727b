#include "analysis/step_traffic.h"

#include <algorithm>
#include <map>

#include "graph/state.h"
#include "ops/op.h"

namespace nongemm {
namespace {

double bytes_of_type(const Type& type) {
  return static_cast<double>(element_count(type.shape)) * static_cast<double>(size_of(type.dtype));
}

/// Of a weight of this type what a node reads.
double read_by(const Graph& graph, const Node& node, const Type& weight) {
  const Op* op = OpTable::get().find(node.op);
  const Group group = op == nullptr ? Group::kOther : op->entry.group;
  if (group == Group::kEmbedding && !node.outputs.empty()) {
    return std::min(bytes_of_type(weight), bytes_of_type(graph.values[node.outputs[0]].type));
  }
  const auto* rows = node.args.empty() ? nullptr : std::get_if<Use>(&node.args[0]);
  if (group == Group::kGemm && weight.shape.size() == 3 && rows != nullptr && rows->value != kNoId) {
    const Shape& shape = graph.values[rows->value].type.shape;
    const double experts = static_cast<double>(weight.shape[0]);
    if (shape.size() == 2 && shape[0] > 0 && experts > 0) {
      return bytes_of_type(weight) * std::min(1.0, static_cast<double>(shape[0]) / experts);
    }
  }
  return bytes_of_type(weight);
}

bool is_cache(const State& state) { return state.name.ends_with(".key") || state.name.ends_with(".value"); }

}  // namespace

StepTraffic step_traffic(const Graph& graph, std::int64_t cached) {
  StepTraffic traffic;
  std::map<ValueId, double> weights;
  for (const Weight& weight : graph.weights) weights.emplace(weight.value, 0.0);
  // Views of weights (a transposed one) stand for them.
  std::map<ValueId, ValueId> source;
  for (const auto& [value, bytes] : weights) source.emplace(value, value);
  for (const Node& node : graph.nodes) {
    const bool view = node.outputs.size() == 1 && graph.values[node.outputs[0]].type.alias;
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId id) {
        const auto at = source.find(id);
        if (at == source.end()) return;
        if (view) {
          source.emplace(node.outputs[0], at->second);
          return;
        }
        double& read = weights[at->second];
        read = std::max(read, read_by(graph, node, graph.values[id].type));
      });
    }
  }
  for (const auto& [value, bytes] : weights) traffic.weight_bytes += bytes;
  for (const State& state : states_of(graph)) {
    if (!is_cache(state) || state.input == kNoId) continue;
    Type type = type_of(graph, state);
    type.shape.at(2) = std::min(type.shape.at(2), cached);
    traffic.cache_bytes += bytes_of_type(type);
  }
  return traffic;
}

}  // namespace nongemm
