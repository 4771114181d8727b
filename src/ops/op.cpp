#include "ops/op.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/error.h"
#include "base/text.h"
#include "ops/entries.h"
#include "ops/rules.h"

namespace nongemm {

OpTable::OpTable() {
  for (const std::span<const OpEntry> group : all_entries()) {
    for (const OpEntry& entry : group) {
      Schema schema = parse_schema(entry.schema);
      std::string name = schema.qualified_name();
      ops_.push_back(Op{entry, std::move(schema), std::move(name)});
    }
  }
  for (std::size_t i = 0; i < ops_.size(); ++i) by_name_.emplace_back(ops_[i].name, i);
  std::sort(by_name_.begin(), by_name_.end());
  const auto twice = std::adjacent_find(by_name_.begin(), by_name_.end(),
                                        [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice != by_name_.end()) {
    throw Error(ErrorKind::kFailed, "the operator table holds '" + std::string(twice->first) + "' twice");
  }
}

const OpTable& OpTable::get() {
  static const OpTable table;
  return table;
}

const Op* OpTable::find(std::string_view name) const {
  const auto at = std::lower_bound(by_name_.begin(), by_name_.end(), name,
                                   [](const auto& row, std::string_view wanted) { return row.first < wanted; });
  return at != by_name_.end() && at->first == name ? &ops_[at->second] : nullptr;
}

const Op& OpTable::at(std::string_view name) const {
  if (const Op* op = find(name)) return *op;
  std::vector<std::string> names;
  names.reserve(ops_.size());
  for (const Op& op : ops_) names.push_back(op.name);
  throw Error(ErrorKind::kUnsupported, "operator '" + std::string(name) + "' is not in the operator table",
              did_you_mean(name, names));
}

namespace {

/// "aten.matmul.default([2, 3], [4, 5]) in h.0.attn"
std::string describe(const Graph& graph, const Node& node) {
  std::string text = node.op + "(";
  bool first = true;
  for (const Argument& argument : node.args) {
    for_each_use(argument, [&](ValueId id) {
      text += (first ? "" : ", ") + to_string(graph.values[id].type.shape);
      first = false;
    });
  }
  text += ")";
  const std::string scope = graph.scope_path(node.scope);
  return scope.empty() ? text : text + " in " + scope;
}

/// Operations of real numbers in each of the operator's. A complex number that meets a real one is less work than two
/// complex ones: unknown, too, where the rule does not count real operations by itself.
double complex_factor(const Operands& operands, std::span<const Type> results, const OpEntry& entry) {
  bool complex = false;
  bool real = false;
  const auto look = [&](const Type& type) { (is_complex(type.dtype) ? complex : real) = true; };
  for (const Type& result : results) look(result);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool number = operands.schema().args[i].kind == ArgKind::kTensor && operands.has(i) && !operands.is_tensor(i);
    if (operands.is_tensor(i)) look(operands.tensor(i));
    real = real || number;
  }
  if (!complex) return 1;
  return real && entry.complex_work != 1 ? kUnknownWork : entry.complex_work;
}

}  // namespace

std::vector<Type> infer_types(const Graph& graph, const Node& node, const Op& op) {
  try {
    return op.entry.infer(Operands(graph, node, op.schema));
  } catch (const Error& error) {
    throw Error(error.kind(), describe(graph, node) + ": " + error.what());
  } catch (const std::out_of_range&) {  // of a list or a shape of the operands
    throw Error(ErrorKind::kBadInput, describe(graph, node) + ": its operands do not fit");
  }
}

void CostSum::add(const Cost& cost, double calls) {
  ++added_;
  if (!std::isnan(cost.flops)) {
    ++with_flops_;
    sum_.flops += cost.flops * calls;
  }
  if (!std::isnan(cost.bytes())) {
    ++with_bytes_;
    sum_.bytes_read += cost.bytes_read * calls;
    sum_.bytes_written += cost.bytes_written * calls;
  }
}

Cost CostSum::known() const {
  Cost known = sum_;
  if (with_flops_ == 0 && added_ > 0) known.flops = kUnknownWork;
  if (with_bytes_ == 0 && added_ > 0) known.bytes_read = known.bytes_written = kUnknownWork;
  return known;
}

Cost cost_of(const Graph& graph, const Node& node, const Op& op) {
  if (op.entry.cost == nullptr) return {};
  std::vector<Type> results;
  results.reserve(node.outputs.size());
  for (ValueId id : node.outputs) results.push_back(graph.values[id].type);
  const Operands operands(graph, node, op.schema);
  Cost cost = op.entry.cost(operands, results);
  if (cost.flops != 0) cost.flops *= complex_factor(operands, results, op.entry);
  return cost;
}

Group group_of(const Graph& graph, const Node& node, const Op& op) {
  const bool memory = op.entry.group == Group::kMemoryLayout || op.entry.group == Group::kMemoryMovement;
  if (!memory || node.outputs.empty()) return op.entry.group;
  // A copy_ or index_put_ returns its operand, too, but writes into it.
  if (op.schema.writes()) return Group::kMemoryMovement;
  return graph.values[node.outputs[0]].type.alias ? Group::kMemoryLayout : Group::kMemoryMovement;
}

}  // namespace nongemm
