#include "analysis/analysis.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/composite.h"
#include "analysis/roofline.h"
#include "analysis/steps.h"
#include "ops/foreign.h"
#include "ops/onnx_operators.h"

namespace nongemm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string result_shapes(const Graph& graph, const Node& node) {
  std::string text;
  constexpr std::size_t kMost = 4;  // a split into many pieces is said by its first ones
  for (std::size_t i = 0; i < std::min(node.outputs.size(), kMost); ++i) {
    const Type& type = graph.values[node.outputs[i]].type;
    const bool list = type.kind == Type::Kind::kTensorList;
    const bool tensor = type.kind == Type::Kind::kTensor || list;
    text += std::string(i == 0 ? "" : ", ") + (list ? "list of " : "") + (tensor ? to_string(type.shape) : "number");
  }
  return node.outputs.size() > kMost ? text + ", ..." : text;
}

/// Parameters are counted at their first use, so that tied weights count once.
std::int64_t count_parameters(const Graph& graph, const Node& node, const std::vector<bool>& is_weight,
                              std::vector<bool>& counted) {
  std::int64_t count = 0;
  for (const Argument& argument : node.args) {
    for_each_use(argument, [&](ValueId id) {
      if (!is_weight[id] || counted[id]) return;
      counted[id] = true;
      count += element_count(graph.values[id].type.shape);
    });
  }
  return count;
}

/// Shapes the run saw take the place of unknown ones, so that costs and tables have them.
Graph with_observed_types(const Graph& graph, const Measurement* measurement) {
  Graph known = graph;
  if (measurement == nullptr) return known;
  for (const ObservedTypes& row : measurement->observed) {
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

/// Of models that were not lowered here: "onnx.MatMul".
const OnnxOperator* foreign_operator(const std::string& op) {
  constexpr std::string_view kPrefix = "onnx.";
  return op.starts_with(kPrefix) ? find_onnx_operator(std::string_view(op).substr(kPrefix.size())) : nullptr;
}

NodeRow describe(const Graph& graph, NodeId id, const AnalysisOptions& options) {
  const Node& node = graph.nodes[id];
  NodeRow row;
  row.id = id;
  row.op = node.op;
  row.scope = graph.scope_path(node.scope);
  row.module = graph.scopes[node.scope].type;
  row.shapes = operand_shapes(graph, node);
  row.results = result_shapes(graph, node);
  if (!node.outputs.empty()) row.dtype = name_of(graph.values[node.outputs[0]].type.dtype);
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
  } else {
    row.group = guess_group(node.op);
    row.variant = base_name(node.op);
    row.cost = foreign_cost(graph, node, row.group);
  }
  if (options.by_module) {
    if (const CompositeModule* module = composite_of(graph, node.scope)) {
      row.group = module->group;
      row.variant = module->variant;
    }
  }
  if (options.rules == nullptr) return row;
  if (const std::optional<GroupRules::Decision> decision = options.rules->decide(graph, node)) {
    row.group = decision->group;
    if (!decision->variant.empty()) row.variant = decision->variant;
  }
  return row;
}

void add(Bucket& bucket, const NodeRow& row) {
  ++bucket.nodes;
  bucket.calls += row.calls;
  bucket.time_s += row.time_s;
  bucket.host_s += row.host_s;
  bucket.gap_s += row.gap_s;
  bucket.wait_s += row.wait_s;
  bucket.kernels += row.kernels;
  bucket.limit_s += row.limit_s * row.calls;
  bucket.parameters += row.parameters;
  bucket.work.add(row.cost, row.calls);
  const double bytes = std::isnan(row.cost.bytes()) ? 0.0 : row.cost.bytes();
  const double weight = row.time_s > 0 ? row.time_s : bytes * 1e-18;
  if (weight > bucket.costliest_s) {
    bucket.costliest_s = weight;
    bucket.example = row.shapes;
    bucket.dtype = row.dtype;
  }
}

/// Buckets in the order in which their first node stands in the graph.
template <typename Key>
std::vector<Bucket> collect(const std::vector<NodeRow>& rows, double wall_s, Key&& key) {
  std::vector<Bucket> buckets;
  std::map<std::string, std::size_t> index;
  for (const NodeRow& row : rows) {
    std::string name = key(row);
    std::string unique = name + '\n' + std::to_string(static_cast<int>(row.group)) + '\n' + row.variant;
    const auto [at, is_new] = index.emplace(std::move(unique), buckets.size());
    if (is_new) {
      Bucket bucket;
      bucket.name = std::move(name);
      bucket.group = row.group;
      bucket.variant = row.variant;
      bucket.traits = row.traits;
      bucket.module = row.module;
      buckets.push_back(std::move(bucket));
    }
    add(buckets[at->second], row);
  }
  for (Bucket& bucket : buckets) bucket.share = wall_s > 0 ? bucket.time_s / wall_s : 0;
  return buckets;
}

void largest_first(std::vector<Bucket>& buckets) {
  std::stable_sort(buckets.begin(), buckets.end(), [](const Bucket& a, const Bucket& b) {
    if (a.time_s != b.time_s) return a.time_s > b.time_s;
    const double left = a.work.known().flops;
    const double right = b.work.known().flops;
    return std::isnan(right) ? !std::isnan(left) : left > right;  // what is not known comes last
  });
}

/// Gaps and launches are known from kernel records alone, and a runtime's own clock of its steps knows no host times.
void take_times(const NodeTime& time, const NodePass& pass, bool on_device, NodeRow& row) {
  row.host_s = on_device && !pass.kernel_records ? kNaN : time.host_s;
  row.device_s = time.device_s;
  row.gap_s = pass.kernel_records ? time.gap_s : kNaN;
  row.wait_s = pass.kernel_records ? time.wait_s : kNaN;
  row.calls = time.calls;
  row.kernels = pass.kernel_records ? time.kernels : kNaN;
  row.time_s = on_device ? time.device_s : time.host_s;
}

std::vector<Bucket> by_group(std::vector<NodeRow> rows, double wall_s) {
  for (NodeRow& row : rows) row.variant.clear();
  return collect(rows, wall_s, [](const NodeRow& row) { return std::string(info(row.group).id); });
}

}  // namespace

std::string operand_shapes(const Graph& graph, const Node& node) {
  std::string text;
  int count = 0;
  constexpr int kMost = 6;  // a cat of many tensors is said by its first ones
  for (const Argument& argument : node.args) {
    if (std::holds_alternative<std::vector<Int>>(argument)) continue;
    for_each_use(argument, [&](ValueId id) {
      if (++count > kMost) return;
      text += (text.empty() ? "" : " x ") + to_string(graph.values[id].type.shape);
    });
  }
  return count > kMost ? text + " x ..." : text;
}

Analysis analyse(const Graph& original, const Measurement* measurement, const AnalysisOptions& options,
                 const DeviceLimits* limits) {
  const Graph graph = with_observed_types(original, measurement);
  Analysis result;
  result.measured = measurement != nullptr && measurement->nodes.averaged > 0;
  result.attention_is_gemm = options.attention_is_gemm;
  std::vector<bool> is_weight(graph.values.size(), false);
  std::vector<bool> counted(graph.values.size(), false);
  for (const Weight& weight : graph.weights) {
    const Type& type = graph.values[weight.value].type;
    is_weight[weight.value] = !weight.buffer;
    if (!weight.buffer) result.parameters += element_count(type.shape);
    result.weight_bytes += static_cast<double>(element_count(type.shape)) * static_cast<double>(size_of(type.dtype));
  }
  if (result.measured) {
    const NodePass& pass = measurement->nodes;
    result.on_device = pass.device_busy_s > 0;
    result.wall_s = pass.mean_wall_s;
    // A host has none; of a device whose kernels were not recorded nothing is known.
    const bool unknown = result.on_device && !pass.kernel_records;
    result.gap_s = unknown ? kNaN : pass.gap_s;
    result.head_s = unknown ? kNaN : pass.head_s;
    result.tail_s = unknown ? kNaN : pass.tail_s;
    result.outside_s = pass.outside_s;
  }
  std::vector<NodeRow> graph_nodes;
  for (NodeId id = 0; id < graph.nodes.size(); ++id) {
    graph_nodes.push_back(describe(graph, id, options));
    graph_nodes.back().parameters = count_parameters(graph, graph.nodes[id], is_weight, counted);
  }
  if (measurement != nullptr && measurement->program) {
    result.nodes = step_rows(graph, graph_nodes, *measurement->program);
    result.graph_nodes = std::move(graph_nodes);
  } else {
    result.nodes = std::move(graph_nodes);
  }
  if (graph.values.empty()) {
    // An engine whose model is not given: groups follow from names, costs from nothing.
    result.weight_bytes = kNaN;
    for (std::vector<NodeRow>* rows : {&result.nodes, &result.graph_nodes}) {
      for (NodeRow& row : *rows) row.cost = {kUnknownWork, kUnknownWork, kUnknownWork};
    }
  }
  for (NodeRow& row : result.nodes) {
    if (result.measured) take_times(measurement->nodes.nodes[row.id], measurement->nodes, result.on_device, row);
    if (limits != nullptr) row.limit_s = time_at_limit(row, *limits);
    (counts_as_gemm(row.group, options.attention_is_gemm) ? result.gemm_s : result.nongemm_s) += row.time_s;
    result.total.add(row.cost, row.calls);
  }

  result.groups = by_group(result.nodes, result.wall_s);
  largest_first(result.groups);
  result.operators = collect(result.nodes, result.wall_s, [](const NodeRow& row) { return row.op; });
  largest_first(result.operators);
  // Operators, shapes and work are the model's own, whatever a runtime makes of them.
  result.workload = collect(result.graph_nodes.empty() ? result.nodes : result.graph_nodes, result.wall_s,
                            [](const NodeRow& row) { return row.op + " " + row.shapes + " " + row.dtype; });
  for (Bucket& bucket : result.workload) bucket.name = bucket.name.substr(0, bucket.name.find(' '));
  result.variants = collect(result.nodes, result.wall_s, [](const NodeRow&) { return std::string(); });
  largest_first(result.variants);
  for (const Bucket& bucket : result.groups) {
    if (result.measured && !counts_as_gemm(bucket.group, options.attention_is_gemm)) {
      result.dominant = bucket.group;
      break;
    }
  }
  return result;
}

}  // namespace nongemm
