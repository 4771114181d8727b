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

/// Whether products may run in the step: by its own type where that is an operator, else by the operators that it is
/// made of. A runtime that tells neither is taken at its word about the nodes.
bool multiplies(const RuntimeNode& step) {
  if (const OnnxOperator* own = find_onnx_operator(step.type)) return counts_as_gemm(own->group);
  const auto may = [](const std::string& type) {
    const OnnxOperator* known = find_onnx_operator(type);
    return known == nullptr || counts_as_gemm(known->group);
  };
  return step.operators.empty() || std::any_of(step.operators.begin(), step.operators.end(), may);
}

/// What a step does that has a part of a product's node without its product: its own type, or the first of these groups
/// that its operators have.
const OnnxOperator* part_of_node(const RuntimeNode& step) {
  if (const OnnxOperator* own = find_onnx_operator(step.type)) return own;
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
      if (is_compute(row) && row.group != Group::kMemoryMovement) row.cost.flops = kUnknownWork;
      break;
    }
  }
  // The runtime tells of some of its own steps only how much they move.
  const double moved_bytes = step.bytes > 0 ? static_cast<double>(step.bytes) : kUnknownWork;
  row.cost.bytes_read = row.cost.bytes_written = only_describes(step.type) ? 0.0 : moved_bytes;
}

/// Which nodes a step has in full. A product that the runtime put together from parts is in the steps that multiply: a
/// softmax of an attention, a bias or scales that run on their own, and a new shape are no GEMM, and have none of its
/// work.
class Wholes {
 public:
  Wholes(const std::vector<NodeRow>& nodes, const RuntimeProgram& program)
      : nodes_(nodes), multiplied_(nodes.size(), false), wholes_(nodes.size(), 0), moving_(nodes.size(), 0) {
    for (const RuntimeNode& step : program.nodes) {
      for (const NodeId id : step.covers) {
        multiplied_[id] = multiplied_[id] || multiplies(step);
        moving_[id] += only_describes(step.type) ? 0 : 1;
      }
    }
    for (const RuntimeNode& step : program.nodes) {
      for (const NodeId id : in_full(step)) ++wholes_[id];
    }
  }

  std::vector<NodeId> in_full(const RuntimeNode& step) const {
    const bool with_product = multiplies(step);
    std::vector<NodeId> full;
    for (const NodeId id : step.covers) {
      const bool elsewhere = nodes_[id].group == Group::kAttention || multiplied_[id];
      if (with_product || !counts_as_gemm(nodes_[id].group) || !elsewhere) full.push_back(id);
    }
    return full;
  }

  /// Work is divided between the steps that have a node in full, bytes between all that touch it.
  Cost cost_of(const Regions& regions, const RuntimeNode& step, const std::vector<NodeId>& full) const {
    if (only_describes(step.type)) return {};
    Cost cost = regions.cost_of(step.covers, moving_);
    cost.flops = regions.cost_of(full, wholes_).flops;
    return cost;
  }

 private:
  const std::vector<NodeRow>& nodes_;
  std::vector<bool> multiplied_;  // by node: in a step that multiplies
  std::vector<int> wholes_;       // how many steps have it in full
  std::vector<int> moving_;       // how many steps cover it that may move its data
};

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

void describe_covering(const std::vector<NodeRow>& nodes, const RuntimeNode& step, const std::vector<NodeId>& covers,
                       NodeRow& row) {
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
  const Wholes wholes(nodes, program);
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
      const std::vector<NodeId> full = wholes.in_full(step);
      describe_covering(nodes, step, full, row);
      row.cost = wholes.cost_of(regions, step, full);
      // What a softmax works between an attention's products stands with these, and is not known by itself.
      const bool moves = row.group == Group::kMemoryMovement || row.group == Group::kMemoryLayout;
      if (full.empty() && !moves) row.cost.flops = kUnknownWork;
      // Views cost nothing in the graph; a runtime that has no strides copies for some of them.
      if (row.group == Group::kMemoryMovement && row.cost.bytes() == 0) {
        row.cost.bytes_read = row.cost.bytes_written = static_cast<double>(step.bytes);
      }
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
