#include "analysis/steps.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "analysis/region.h"

namespace nongemm {
namespace {

/// Types of steps that only change how a tensor is described. Every other step that covers nothing but views moved
/// data: runtimes have no strides.
bool only_describes(std::string_view type) {
  static constexpr std::array kTypes = {"Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "NoOp", "Shape"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

double weight_of(const NodeRow& node) {
  // Layout nodes cost nothing; operators without a cost rule still come before them.
  return is_compute(node) ? 1.0 + node.cost.bytes() + node.cost.flops : 0.0;
}

const NodeRow* costliest(const std::vector<NodeRow>& nodes, const RuntimeNode& step, bool gemm_only) {
  const NodeRow* best = nullptr;
  for (const NodeId id : step.covers) {
    if (gemm_only && !counts_as_gemm(nodes[id].group)) continue;
    if (best == nullptr || weight_of(nodes[id]) > weight_of(*best)) best = &nodes[id];
  }
  return best;
}

Group group_of_steps_nodes(const std::vector<NodeRow>& nodes, const RuntimeNode& step, const NodeRow& main) {
  int products = 0;
  bool attention = false;
  bool softmax = false;
  for (const NodeId id : step.covers) {
    products += nodes[id].group == Group::kGemm ? 1 : 0;
    attention = attention || nodes[id].group == Group::kAttention;
    softmax = softmax || nodes[id].group == Group::kLogit;
  }
  // Eager attention is two products around a softmax; one step that does them all is fused attention.
  if (attention || (products >= 2 && softmax)) return Group::kAttention;
  if (main.group == Group::kMemoryLayout && !only_describes(step.type)) return Group::kMemoryMovement;
  return main.group;
}

void describe_added(const RuntimeNode& step, NodeRow& row) {
  switch (step.role) {
    case RuntimeRole::kCopyToDevice:
      row.group = Group::kCommunication;
      row.variant = "host to device";
      break;
    case RuntimeRole::kCopyToHost:
      row.group = Group::kCommunication;
      row.variant = "device to host";
      break;
    case RuntimeRole::kCast:
      row.group = Group::kMemoryMovement;
      row.variant = "Cast (added)";
      break;
    case RuntimeRole::kReformat:
      row.group = only_describes(step.type) ? Group::kMemoryLayout : Group::kMemoryMovement;
      row.variant = "Reformat (added)";
      break;
    default:
      row.group = Group::kOther;
      row.variant = step.role == RuntimeRole::kOther ? "added" : "not mapped";
      break;
  }
  row.cost.bytes_read = row.cost.bytes_written = static_cast<double>(step.bytes);
}

void describe_covering(const std::vector<NodeRow>& nodes, const RuntimeNode& step, NodeRow& row) {
  const NodeRow* gemm = costliest(nodes, step, /*gemm_only=*/true);
  const NodeRow& main = gemm != nullptr ? *gemm : *costliest(nodes, step, /*gemm_only=*/false);
  row.group = group_of_steps_nodes(nodes, step, main);
  row.variant = main.variant;
  row.traits = main.traits;
  row.scope = main.scope;
  row.module = main.module;
  row.shapes = main.shapes;
  row.results = nodes[step.covers.back()].results;
  row.dtype = main.dtype;
}

}  // namespace

bool is_compute(const NodeRow& node) { return node.group != Group::kMemoryLayout && node.group != Group::kControl; }

std::vector<NodeRow> step_rows(const Graph& graph, const std::vector<NodeRow>& nodes, const RuntimeProgram& program) {
  std::vector<int> shared(nodes.size(), 0);  // how many steps cover a node
  for (const RuntimeNode& step : program.nodes) {
    for (const NodeId id : step.covers) ++shared[id];
  }
  const Regions regions(graph, nodes);
  std::vector<bool> counted(nodes.size(), false);
  std::vector<NodeRow> rows;
  for (const RuntimeNode& step : program.nodes) {
    NodeRow row;
    row.id = static_cast<NodeId>(rows.size());
    row.op = step.type;
    if (step.covers.empty()) {
      describe_added(step, row);
    } else {
      describe_covering(nodes, step, row);
      row.cost = regions.cost_of(step.covers, shared);
    }
    for (const NodeId id : step.covers) {
      if (!counted[id]) row.parameters += nodes[id].parameters;
      counted[id] = true;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace nongemm
