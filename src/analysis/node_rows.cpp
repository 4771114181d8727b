#include "analysis/node_rows.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "analysis/composite.h"
#include "analysis/named_group.h"
#include "ops/foreign.h"
#include "ops/onnx_operators.h"

namespace nongemm {
namespace {

/// Parameters are counted at their first use, so that tied weights count once.
class ParameterCount {
 public:
  explicit ParameterCount(const Graph& graph) : graph_(graph), uncounted_(graph.values.size(), false) {
    for (const Weight& weight : graph.weights) uncounted_[weight.value] = !weight.buffer;
  }

  std::int64_t first_used_by(const Node& node) {
    std::int64_t count = 0;
    for (const Argument& argument : node.args) {
      for_each_use(argument, [&](ValueId id) {
        if (!uncounted_[id]) return;
        uncounted_[id] = false;
        count += element_count(graph_.values[id].type.shape);
      });
    }
    return count;
  }

 private:
  const Graph& graph_;
  std::vector<bool> uncounted_;  // by ValueId
};

/// Of models that were not lowered here: "onnx.MatMul" of a file of names alone, "onnx.MatMul.default" of an imported
/// model that no rule could make an operator of the table of.
const OnnxOperator* foreign_operator(const std::string& op) {
  constexpr std::string_view kPrefix = "onnx.";
  if (!op.starts_with(kPrefix)) return nullptr;
  const std::string_view type = std::string_view(op).substr(kPrefix.size());
  return find_onnx_operator(type.substr(0, type.find('.')));
}

DType result_dtype(const Graph& graph, const Node& node) {
  return node.outputs.empty() ? DType::kUndefined : graph.values[node.outputs[0]].type.dtype;
}

void classify(const Graph& graph, const Node& node, const AnalysisOptions& options, NodeRow& row) {
  if (const Op* op = table_entry(node)) {
    row.group = group_of(graph, node, *op);
    row.variant = op->entry.variant;
    row.traits = op->entry.traits;
    row.cost = cost_of(graph, node, *op);
  } else if (const OnnxOperator* foreign = foreign_operator(node.op)) {
    row.group = foreign->group;
    row.variant = foreign->variant;
    row.traits = foreign->traits;
    row.cost = foreign_cost(graph, node, row.group);
  } else if (std::optional<NamedGroup> named = named_group(node.op)) {
    row.group = named->group;
    row.variant = std::move(named->variant);
    if (row.group != Group::kMemoryLayout) row.cost = {kUnknownWork, kUnknownWork, kUnknownWork};
  } else {
    row.group = guess_group(node.op);
    row.variant = base_name(node.op);
    row.cost = foreign_cost(graph, node, row.group);
  }
  if (options.by_module) {
    if (const CompositeModule* module = composite_of(graph, node.scope)) {
      row.group = module->group;
      row.variant = module->variant;
    } else if (is_routing(graph, node.scope, row.group, row.variant, result_dtype(graph, node))) {
      row.group = Group::kRouting;
    }
  }
  if (options.rules == nullptr) return;
  if (const std::optional<GroupRules::Decision> decision = options.rules->decide(graph, node)) {
    row.group = decision->group;
    if (!decision->variant.empty()) row.variant = decision->variant;
  }
}

void add_types(const Graph& graph, const Node& node, NodeRow& row) {
  for (const Argument& argument : node.args) {
    if (std::holds_alternative<std::vector<Int>>(argument)) continue;
    for_each_use(argument, [&](ValueId id) { row.operands.push_back(graph.values[id].type); });
  }
  for (const ValueId id : node.outputs) row.results.push_back(graph.values[id].type);
}

/// DType has its enumerators in the order of promotion, floating-point types last.
DType widest(const std::vector<Type>& operands) {
  DType widest = DType::kUndefined;
  for (const Type& type : operands) widest = std::max(widest, type.dtype);
  return widest;
}

bool is_convolution(const NodeRow& row) {
  return row.op.find("conv") != std::string::npos || row.op.find("Conv") != std::string::npos;
}

void add_dtypes(const Tf32Use& rounded, NodeRow& row) {
  row.operand_dtype = row.operands.empty() ? DType::kUndefined : row.operands.front().dtype;
  row.compute_dtype = row.operands.empty() ? row.dtype() : widest(row.operands);
  row.in_tf32 = counts_as_gemm(row.group) && row.compute_dtype == DType::kFloat32 &&
                (is_convolution(row) ? rounded.convolutions : rounded.products);
}

}  // namespace

Graph with_observed_types(const Entry& entry) {
  Graph known = *entry.graph;
  for (const ObservedTypes& row : entry.observed) {
    const Node& node = known.nodes[row.node];
    for (std::size_t i = 0; i < std::min(node.outputs.size(), row.results.size()); ++i) {
      Type& type = known.values[node.outputs[i]].type;
      const bool alias = type.alias;
      type = row.results[i];
      type.alias = alias;
    }
  }
  return known;
}

std::vector<NodeRow> node_rows(const Graph& graph, const Tf32Use& rounded, const AnalysisOptions& options) {
  ParameterCount parameters(graph);
  std::vector<NodeRow> rows;
  rows.reserve(graph.nodes.size());
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    const Node& node = graph.nodes[id];
    NodeRow& row = rows.emplace_back();
    row.id = id;
    row.op = node.op;
    row.scope = graph.scope_path(node.scope);
    row.module = graph.scopes[node.scope].type;
    classify(graph, node, options, row);
    add_types(graph, node, row);
    add_dtypes(rounded, row);
    row.parameters = parameters.first_used_by(node);
  }
  return rows;
}

}  // namespace nongemm
