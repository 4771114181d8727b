#include "analysis/steps.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "analysis/region.h"
#include "ops/onnx_operators.h"

namespace nongemm {
namespace {

/// Steps that only change how a tensor is described. Every other step that covers nothing but views moved data:
/// runtimes have no strides.
bool only_describes(std::string_view type) {
  const OnnxOperator* known = find_onnx_operator(type);
  return known != nullptr && known->elements == OnnxElements::kUntouched;
}

/// The group of a step whose operators have this one.
Group moved(Group group, const RuntimeNode& step) {
  return group == Group::kMemoryLayout && !only_describes(step.type) ? Group::kMemoryMovement : group;
}

double weight_of(const NodeRow& node) {
  // Layout nodes cost nothing; operators without a cost rule still come before them.
  const auto if_known = [](double work) { return std::isnan(work) ? 0.0 : work; };
  return is_compute(node) ? 1.0 + if_known(node.cost.bytes()) + if_known(node.cost.flops) : 0.0;
}

const NodeRow* costliest(const std::vector<NodeRow>& nodes, const std::vector<NodeId>& covers, bool gemm_only) {
  const NodeRow* best = nullptr;
  for (const NodeId id : covers) {
    if (gemm_only && !counts_as_gemm(nodes[id].group)) continue;
    if (best == nullptr || weight_of(nodes[id]) > weight_of(*best)) best = &nodes[id];
  }
  return best;
}

Group group_of_steps_nodes(const std::vector<NodeRow>& nodes, const std::vector<NodeId>& covers, const NodeRow& main) {
  int products = 0;
  bool attention = false;
  bool softmax = false;
  for (const NodeId id : covers) {
    products += nodes[id].group == Group::kGemm ? 1 : 0;
    attention = attention || nodes[id].group == Group::kAttention;
    softmax = softmax || nodes[id].group == Group::kLogit;
  }
  // Eager attention is two products around a softmax; one step that does them all is fused attention.
  return attention || (products >= 2 && softmax) ? Group::kAttention : main.group;
}

bool has_operator(const RuntimeNode& step, std::initializer_list<Group> groups) {
  return std::any_of(step.operators.begin(), step.operators.end(), [&](const std::string& type) {
    const OnnxOperator* known = find_onnx_operator(type);
    return known != nullptr && std::find(groups.begin(), groups.end(), known->group) != groups.end();
  });
}

/// What is left of such a node in a step that does none of its products: the first of these groups that the
/// step's operators have.
const OnnxOperator* part_of_node(const RuntimeNode& step) {
  for (const Group group :
       {Group::kLogit, Group::kReduction, Group::kArithmetic, Group::kMemoryMovement, Group::kMemoryLayout}) {
    for (const std::string& type : step.operators) {
      const OnnxOperator* known = find_onnx_operator(type);
      if (known != nullptr && known->group == group) return known;
    }
  }
  return nullptr;
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
    case RuntimeRole::kSizes:
      row.group = Group::kControl;
      row.variant = "Sizes";
      break;
    case RuntimeRole::kOther:
      row.group = Group::kOther;
      row.variant = "added";
      break;
    default: {
      // A kernel inside a block whose name tells what it does, though not of which node.
      const OnnxOperator* known = step.operators.size() == 1 ? find_onnx_operator(step.operators.front()) : nullptr;
      row.group = known != nullptr ? moved(known->group, step) : Group::kOther;
      row.variant = known != nullptr ? known->variant : "not mapped";
      break;
    }
  }
  // The runtime tells of some of its own steps only how much they move.
  row.cost.bytes_read = row.cost.bytes_written = step.bytes > 0 ? static_cast<double>(step.bytes) : kUnknownWork;
}

/// A node of several parts that runtimes run one by one.
bool comes_in_parts(const NodeRow& node) {
  return node.group == Group::kAttention || node.op.starts_with("nongemm.int8_linear");
}

/// The covered nodes, without attention nodes and int8 products of which the step does no product: the runtime put
/// these together from parts, and a softmax or scales that run on their own are no GEMM.
std::vector<NodeId> nodes_in_full(const std::vector<NodeRow>& nodes, const RuntimeNode& step) {
  const bool with_product = step.operators.empty() || has_operator(step, {Group::kGemm, Group::kAttention});
  std::vector<NodeId> rest;
  for (const NodeId id : step.covers) {
    if (with_product || !comes_in_parts(nodes[id])) rest.push_back(id);
  }
  return rest;
}

void describe_like(const NodeRow& main, NodeRow& row) {
  row.variant = main.variant;
  row.traits = main.traits;
  row.scope = main.scope;
  row.module = main.module;
  row.operands = main.operands;
  row.results = main.results;
  row.operand_dtype = main.operand_dtype;
  row.compute_dtype = main.compute_dtype;
  row.in_tf32 = main.in_tf32;
}

void describe_covering(const std::vector<NodeRow>& nodes, const RuntimeNode& step, NodeRow& row) {
  const std::vector<NodeId> covers = nodes_in_full(nodes, step);
  const NodeRow* gemm = costliest(nodes, covers, /*gemm_only=*/true);
  const NodeRow* any = costliest(nodes, covers, /*gemm_only=*/false);
  const NodeRow& main = gemm != nullptr ? *gemm : any != nullptr ? *any : nodes[step.covers.front()];
  describe_like(main, row);
  row.results = nodes[step.covers.back()].results;
  const bool works = any != nullptr && is_compute(*any);
  const OnnxOperator* part = covers.size() < step.covers.size() && !works ? part_of_node(step) : nullptr;
  if (part != nullptr) {
    row.group = part->group;
    row.variant = part->variant;
    row.traits = part->traits;
  } else {
    row.group = group_of_steps_nodes(nodes, covers, main);
  }
  // A product of an attention whose softmax runs elsewhere is a product like any other.
  if (row.group == Group::kAttention && !step.operators.empty() &&
      !has_operator(step, {Group::kLogit, Group::kAttention})) {
    row.group = Group::kGemm;
    row.variant = "MatMul";
  }
  row.group = moved(row.group, step);
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
    row.opaque = step.opaque;
    if (step.covers.empty()) {
      describe_added(step, row);
    } else {
      describe_covering(nodes, step, row);
      row.cost = regions.cost_of(step.covers, shared);
      // Views cost nothing in the graph; a runtime that has no strides copies for some of them.
      if (row.group == Group::kMemoryMovement && row.cost.bytes() == 0) {
        row.cost.bytes_read = row.cost.bytes_written = static_cast<double>(step.bytes);
      }
    }
    if (only_describes(step.type)) row.cost = {};
    for (const NodeId id : step.covers) {
      if (!counted[id]) row.parameters += nodes[id].parameters;
      counted[id] = true;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace nongemm
