#include "programs/ort/result_types.h"

#include <algorithm>
#include <map>

#include "onnx/names.h"

namespace nongemm::ort_flow {
namespace {

bool is_unknown(const Type& type) {
  return type.kind == Type::Kind::kTensor &&
         std::find(type.shape.begin(), type.shape.end(), kDynamic) != type.shape.end();
}

}  // namespace

std::unordered_map<ValueId, std::string> names_of_unknown(const Graph& graph,
                                                          const std::vector<std::pair<std::string, ValueId>>& outputs) {
  std::unordered_map<ValueId, std::string> names;
  for (ValueId id = 0; id < graph.values.size(); ++id) {
    const bool computed = graph.values[id].producer != kNoId;
    if (computed && is_unknown(graph.values[id].type)) names[id] = onnx::value_name(graph, id);
  }
  for (const auto& [name, id] : outputs) {
    if (names.contains(id)) names[id] = name;
  }
  return names;
}

ResultTypes::ResultTypes(const Graph& graph, const std::unordered_map<ValueId, std::string>& names,
                         const Dataflow& optimised)
    : graph_(graph) {
  for (const auto& [value, name] : names) wanted_.emplace(name, value);
  for (const DataflowNode& step : optimised.nodes) {
    const auto [at, is_new] = results_of_.emplace(step.name, step.outputs);
    if (!is_new) at->second.clear();
  }
}

std::vector<ObservedTypes> ResultTypes::observed(const RunProfile& profile) const {
  std::unordered_map<ValueId, Shape> shapes;
  for (const ProfiledNode& node : profile.nodes) {
    const auto results = results_of_.find(node.name);
    // The profile leaves results out that are no tensors: then nothing says which is which.
    if (results == results_of_.end() || results->second.size() != node.outputs.size()) continue;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const auto value = wanted_.find(results->second[i]);
      if (value == wanted_.end()) continue;
      if (node.outputs[i].size() == graph_.values[value->second].type.shape.size()) {
        shapes[value->second] = node.outputs[i];
      }
    }
  }
  std::map<NodeId, ObservedTypes> rows;
  for (const auto& [value, shape] : shapes) {
    const NodeId node = graph_.values[value].producer;
    ObservedTypes& row = rows[node];
    if (row.node == kNoId) {
      row.node = node;
      for (const ValueId output : graph_.nodes[node].outputs) row.results.push_back(graph_.values[output].type);
    }
    const std::vector<ValueId>& outputs = graph_.nodes[node].outputs;
    const auto place = std::find(outputs.begin(), outputs.end(), value) - outputs.begin();
    Type& type = row.results[static_cast<std::size_t>(place)];
    type.shape = shape;
    type.strides.clear();
  }
  std::vector<ObservedTypes> observed;
  for (auto& [node, row] : rows) observed.push_back(std::move(row));
  return observed;
}

}  // namespace nongemm::ort_flow
