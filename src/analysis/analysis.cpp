#include "analysis/analysis.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "analysis/buckets.h"
#include "analysis/liveness.h"
#include "analysis/node_rows.h"
#include "analysis/roofline.h"
#include "analysis/steps.h"
#include "ops/communication.h"
#include "ops/rules.h"

namespace nongemm {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

void add_weights(const Graph& graph, Analysis& result) {
  for (const Weight& weight : graph.weights) {
    const Type& type = graph.values[weight.value].type;
    if (!weight.buffer) result.parameters += element_count(type.shape);
    result.weight_bytes += static_cast<double>(element_count(type.shape)) * static_cast<double>(size_of(type.dtype));
  }
}

/// What another tool recorded has operators, but neither inputs nor weights, nor what goes from one to the other.
bool is_of_a_tool(const Graph& graph) { return graph.inputs.empty() && graph.weights.empty(); }

void add_rows(const Entry& entry, const Tf32Use& rounded, const AnalysisOptions& options, Analysis& result) {
  const Graph graph = with_observed_types(entry);
  std::vector<NodeRow> rows = node_rows(graph, rounded, options);
  for (NodeRow& row : rows) {
    if (row.id < entry.part_of.size()) row.part_of = entry.part_of[row.id];
  }
  const bool of_a_tool = is_of_a_tool(graph);
  if (!entry.names_only && !of_a_tool) {
    const std::vector<double> alive = alive_bytes(graph);
    for (NodeRow& row : rows) row.alive_bytes = alive[row.id];
  }
  add_weights(graph, result);
  if (entry.program) {
    result.nodes = step_rows(graph, rows, *entry.program);
    result.graph_nodes = std::move(rows);
  } else {
    result.nodes = std::move(rows);
  }
  // A compiled package keeps its weights to itself.
  const bool is_package = graph.weights.empty() && graph.attributes.contains(kCompiledFor);
  if (of_a_tool || is_package) result.weight_bytes = kNaN;
  if (!entry.names_only) return;
  for (std::vector<NodeRow>* all : {&result.nodes, &result.graph_nodes}) {
    for (NodeRow& row : *all) row.cost = {kUnknownWork, kUnknownWork, kUnknownWork};
  }
}

void add_wall_time(const NodePass& pass, Analysis& result) {
  result.wall_s = pass.mean_wall_s;
  // A host has none; of a device whose kernels were not recorded nothing is known.
  const bool unknown = result.on_device && !pass.kernel_records;
  result.gap_s = unknown ? kNaN : pass.gap_s;
  result.head_s = unknown ? kNaN : pass.head_s;
  result.tail_s = unknown ? kNaN : pass.tail_s;
  result.outside_s = pass.outside_s;
}

/// Gaps and launches are known from kernel records alone, and a runtime's own clock of its steps knows no host times.
void take_times(const NodePass& pass, bool on_device, NodeRow& row) {
  const NodeTime& time = pass.nodes[row.id];
  row.host_s = on_device && !pass.kernel_records ? kNaN : time.host_s;
  row.device_s = time.device_s;
  row.gap_s = pass.kernel_records ? time.gap_s : kNaN;
  row.wait_s = pass.kernel_records ? time.wait_s : kNaN;
  row.calls = time.calls;
  row.kernels = pass.kernel_records ? time.kernels : kNaN;
  row.time_s = on_device ? time.device_s : time.host_s;
  // A view launches nothing. What did was a copy: `to` of a value that the original makes on the host.
  const bool copied = on_device && pass.kernel_records && time.kernels > 0;
  if (copied && row.group == Group::kMemoryLayout) row.group = Group::kMemoryMovement;
}

/// What crosses links between ranks. On a host a call of a collective only begins it: the time is spent in the wait for
/// its result, and so the limit stands there.
void take_limits_of_collectives(const Graph& graph, const CollectiveLimits& limits, Analysis& result) {
  std::vector<NodeRow>& rows = result.nodes;
  for (NodeRow& row : rows) {
    if (!is_collective(row.op) || row.operands.empty()) continue;
    row.limit_s = time_of_collective(limits, row.op, rules::bytes_of(row.operands.front()));
  }
  for (NodeRow& row : rows) {
    if (row.op != kWaitForCollective) continue;
    row.limit_s = 0;
    if (result.on_device) continue;
    for_each_use(graph.nodes[row.id].args[0], [&](ValueId value) {
      const NodeId collective = graph.values[value].producer;
      if (collective != kNoId && is_collective(rows[collective].op)) std::swap(row.limit_s, rows[collective].limit_s);
    });
  }
}

void add_up(const Graph& graph, const AnalysisOptions& options, Analysis& result) {
  for (const NodeRow& row : result.nodes) {
    if (row.part_of != kNoId) continue;
    (counts_as_gemm(row.group, options.attention_is_gemm) ? result.gemm_s : result.nongemm_s) += row.time_s;
    result.total.add(row.cost, row.calls);
  }
  result.groups = by_group(result.nodes, result.wall_s);
  largest_first(result.groups);
  result.operators = by_operator(result.nodes, result.wall_s);
  largest_first(result.operators);
  // Operators, shapes and work are the model's own, whatever a runtime makes of them.
  result.workload = by_call(result.graph_nodes.empty() ? result.nodes : result.graph_nodes, result.wall_s);
  result.variants = by_variant(result.nodes, result.wall_s);
  largest_first(result.variants);
  result.calls = by_call(result.nodes, result.wall_s);
  largest_first(result.calls);
  result.modules = by_module(result.nodes, graph, result.wall_s);
  if (!result.measured) return;
  for (const Bucket& bucket : result.groups) {
    if (counts_as_gemm(bucket.group, options.attention_is_gemm)) continue;
    result.dominant = bucket.group;
    return;
  }
}

}  // namespace

Analysis analyse(const Record& record, const AnalysisOptions& options, RecordPart part) {
  const Phase* phase = record.phases.empty() ? nullptr : &record.phases.at(part.phase);
  const NodePass* pass = phase != nullptr ? &phase->devices.at(part.device).nodes : nullptr;
  const RecordedDevice* device = record.devices.empty() ? nullptr : &record.devices.at(part.device);
  const Entry& entry = record.entries.at(phase != nullptr ? phase->entry : 0);
  Analysis result;
  result.attention_is_gemm = options.attention_is_gemm;
  result.measured = pass != nullptr && pass->averaged > 0;
  add_rows(entry, record.fp32_in_tf32, options, result);
  if (result.measured) {
    result.on_device = !device->is_host;
    add_wall_time(*pass, result);
    for (NodeRow& row : result.nodes) take_times(*pass, result.on_device, row);
    const bool calls_alike = is_of_a_tool(*entry.graph) && !entry.program;
    // Kernels count to the operator around: the gather of an embedding is embedding.
    for (NodeRow& row : result.nodes) {
      if (row.part_of != kNoId) row.group = result.nodes[row.part_of].group;
      if (calls_alike) row.nodes = std::max<std::int64_t>(1, std::llround(row.calls));
    }
  }
  if (device != nullptr && device->limits) {
    for (NodeRow& row : result.nodes) row.limit_s = time_at_limit(row, *device->limits);
    if (record.collectives && !entry.program) take_limits_of_collectives(*entry.graph, *record.collectives, result);
  }
  add_up(*entry.graph, options, result);
  return result;
}

}  // namespace nongemm
