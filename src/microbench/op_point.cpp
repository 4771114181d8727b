#include "microbench/op_point.h"

#include <limits>
#include <utility>

#include "analysis/roofline.h"
#include "base/error.h"
#include "flows/load.h"
#include "flows/options.h"
#include "microbench/call_graph.h"
#include "microbench/collective.h"
#include "microbench/op_command.h"
#include "microbench/operand_text.h"
#include "microbench/replay.h"
#include "ops/communication.h"
#include "ops/rules.h"
#include "spec/rank_place.h"
#include "study/limits_cache.h"
#include "study/ranked_run.h"

namespace nongemm::microbench {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

CallOptions options_of(const OpSpec& spec) { return {RunOptions(spec.run.runtime), spec.run.policy, spec.run.op.cold}; }

/// Classified and costed as any node of a model is.
NodeRow row_of(const OpSpec& spec, const CallMeasurement& measured) {
  Record record = record_of(graph_of(spec.call, 1).graph);
  record.entries.front().observed = measured.observed;
  record.fp32_in_tf32 = measured.fp32_in_tf32;
  // An operator alone is in no module.
  NodeRow row = analyse(record, {.by_module = false}).nodes.front();
  if (measured.kernels > 0) row.kernels = measured.kernels;
  return row;
}

/// The torch flow's: the same for all flows of a device.
std::optional<DeviceLimits> known_limits(const OpSpec& spec) {
  if (!spec.run.limits) return std::nullopt;
  RunOptions options(spec.run.runtime);
  options.settings.clear();
  try {
    return limits_of(load_flow(kBaselineFlow), options, spec.run.fresh_limits);
  } catch (const Error& error) {  // an installation without it measures all the same
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return std::nullopt;
  }
}

void explain(const OpSpec& spec, Flow& flow, const CallMeasurement& measured, double bytes, InModelFigures& in_model) {
  Isolated alone{.time_s = median(measured.call_s), .wall_s = median(measured.wall.samples_s), .bytes = bytes};
  if (!differs(in_model.total_s(), alone.time_s)) return;
  CallOptions cold = options_of(spec);
  cold.cold = true;
  if (!spec.run.op.cold) in_model.cold_s = median(measure_call(spec.call, flow, cold).call_s);
  alone.cold_s = in_model.cold_s;
  in_model.cause = cause_of(in_model, alone, !spec.run.runtime.device.is_host());
}

void run(const OpSpec& spec, const std::function<void(const std::string&)>& progress, Point& point) {
  progress("loading " + spec.run.flow);
  Flow& flow = load_flow(spec.run.flow);
  point.settings.emplace_back("runtime", flow.info().version);
  progress("measuring");
  const RankPlace place = spec.run.runtime.place;
  const bool by_ranks = is_collective(spec.call.info.name);
  std::optional<CollectiveLimits> of_collectives;
  if (by_ranks) {
    const RunOptions options(spec.run.runtime);
    of_collectives = collective_limits_of(flow.communicator(options), spec.run, options);
  }
  const CallMeasurement measured = by_ranks ? measure_collective(spec.call, flow, options_of(spec))
                                            : measure_call(spec.call, flow, options_of(spec));
  if (place.rank > 0) return;
  std::optional<DeviceLimits> limits;
  if (!measured.incomplete && !by_ranks) {
    progress("device limits");
    limits = known_limits(spec);
  }
  OpFigures figures;
  figures.time = summarise(measured.call_s);
  figures.wall = summarise(measured.wall.samples_s);
  figures.repeat = measured.repeat;
  figures.stopping_rule = measured.wall.stopping_rule;
  figures.how = measured.how;
  if (measured.kernels > 0) {
    figures.gap_s = measured.gap_s;
    figures.kernels = measured.kernels;
  }
  figures.node = row_of(spec, measured);
  if (by_ranks) {
    const double bytes = rules::bytes_of(figures.node.operands.front());
    figures.transfer_s = measured.transfer_s;
    figures.bus_bytes = bus_bytes(spec.call.info.name, bytes, place.ranks);
    figures.node.limit_s = of_collectives ? time_of_collective(*of_collectives, spec.call.info.name, bytes) : kNaN;
  }
  if (limits) {
    figures.limits = &*limits;
    figures.node.limit_s = time_at_limit(figures.node, *limits);
  }
  std::optional<InModelFigures> in_model = spec.in_model;
  if (in_model) {
    progress("comparing with the model");
    if (!measured.incomplete) explain(spec, flow, measured, figures.node.cost.bytes(), *in_model);
    figures.in_model = &*in_model;
  }
  point.tables = {make_op_table(figures)};
  point.samples = {{"warmup", measured.wall.warmup_s}, {"call", measured.call_s}, {"wall", measured.wall.samples_s}};
  if (measured.incomplete) {
    point.status = {StatusKind::kIncomplete, "interrupted; the figures are of what was measured until then"};
  }
}

/// As the command line would have it: the call's own options, and none that made models for presets.
Request request_of(const OpSpec& spec) {
  Request request{.run = spec.run};
  request.run.options = ModelOptions();
  request.run.op = operator_request(spec.call);
  request.run.op.cold = spec.run.op.cold;
  return request;
}

}  // namespace

std::string command_of(const OpSpec& spec) { return option_table().command_of(kOp, request_of(spec)); }

std::vector<std::string> words_of(const OpSpec& spec) { return option_table().words_of(kOp, request_of(spec)); }

Point row_of(const OpSpec& spec) {
  Point point;
  point.settings = {{"operator", spec.call.info.name},
                    {"shapes", shapes_text(spec.call)},
                    {"attributes", attributes_text(spec.call)},
                    {"dtype", std::string(short_name_of(dtype_of(spec.call)))},
                    {"layout", layout_text(spec.call)}};
  for (auto& setting : option_table().settings_of(kOp, request_of(spec))) point.settings.push_back(std::move(setting));
  point.settings.emplace_back("model", spec.model);
  const Request request = request_of(spec);
  point.command = option_table().command_of(kOp, request);
  point.key = option_table().key_of(kOp, request);
  point.specification = option_table().values_of(kOp, request);
  return point;
}

std::string key_of(const OpSpec& spec) { return option_table().key_of(kOp, request_of(spec)); }

Point refused_point(const OpSpec& spec, const std::string& wanted, const std::exception& error) {
  Point point = row_of(spec);
  for (auto& [name, value] : point.settings) {
    if (name == "shapes") value = wanted;
  }
  point.status = status_of(error);
  return point;
}

Point op_point(const OpSpec& spec, const std::function<void(const std::string&)>& progress) {
  Point point = row_of(spec);
  try {
    run(spec, progress, point);
  } catch (const std::exception& error) {
    point.status = status_of(error);
  }
  return point;
}

}  // namespace nongemm::microbench
