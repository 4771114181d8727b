#include "microbench/op_point.h"

#include <new>

#include "analysis/roofline.h"
#include "base/error.h"
#include "flows/load.h"
#include "microbench/call_graph.h"
#include "microbench/operand_text.h"
#include "microbench/replay.h"
#include "study/limits_cache.h"

namespace nongemm::micro {
namespace {

/// Classified and costed as any node of a model is.
NodeRow row_of(const OpSpec& spec, const CallMeasurement& measured) {
  Record record = record_of(graph_of(spec.call, 1).graph);
  record.entries.front().observed = measured.observed;
  record.tf32 = {.products = spec.options.run.tf32, .convolutions = spec.options.run.tf32};
  NodeRow row = analyse(record, spec.analysis).nodes.front();
  if (measured.kernels > 0) row.kernels = measured.kernels;
  return row;
}

/// The torch flow's: the same for all flows of a device.
std::optional<DeviceLimits> known_limits(const OpSpec& spec) {
  if (!spec.limits) return std::nullopt;
  RunOptions options = spec.options.run;
  options.settings.clear();
  try {
    return limits_of(load_flow("torch"), options, spec.fresh_limits);
  } catch (const Error& error) {  // an installation without it measures all the same
    if (error.kind() != ErrorKind::kUnsupported) throw;
    return std::nullopt;
  }
}

void explain(const OpSpec& spec, Flow& flow, const CallMeasurement& measured, double bytes, InModelFigures& in_model) {
  Isolated alone{.time_s = median(measured.call_s), .wall_s = median(measured.wall.samples_s), .bytes = bytes};
  if (!differs(in_model.total_s(), alone.time_s)) return;
  CallOptions cold = spec.options;
  cold.cold = true;
  if (!spec.options.cold) in_model.cold_s = median(measure_call(spec.call, flow, cold).call_s);
  alone.cold_s = in_model.cold_s;
  in_model.cause = cause_of(in_model, alone, spec.options.run.device != "cpu");
}

void run(const OpSpec& spec, const std::function<void(const std::string&)>& progress, Point& point) {
  progress("loading " + spec.flow);
  Flow& flow = load_flow(spec.flow);
  progress("measuring");
  const CallMeasurement measured = measure_call(spec.call, flow, spec.options);
  std::optional<DeviceLimits> limits;
  if (!measured.incomplete) {
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
    point.status = "incomplete";
    point.reason = "interrupted; the figures are of what was measured until then";
  }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> settings_of(const OpSpec& spec) {
  return {{"operator", spec.call.info.name},
          {"shapes", shapes_text(spec.call)},
          {"attributes", attributes_text(spec.call)},
          {"dtype", std::string(short_name_of(dtype_of(spec.call)))},
          {"layout", layout_text(spec.call)},
          {"flow", spec.flow},
          {"device", spec.options.run.device},
          {"cache", spec.options.cold ? "cold" : "hot"},
          {"model", spec.model}};
}

Point refused_point(std::vector<std::pair<std::string, std::string>> settings, const std::string& command,
                    const std::exception& error) {
  Point point;
  point.settings = std::move(settings);
  point.command = command;
  point.status = name_of(ErrorKind::kFailed);
  if (const auto* ours = dynamic_cast<const Error*>(&error)) point.status = name_of(ours->kind());
  point.reason = error.what();
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) {
    point.status = name_of(ErrorKind::kOutOfMemory);
    point.reason = "no host memory left";
  }
  return point;
}

Point op_point(const OpSpec& spec, const std::function<void(const std::string&)>& progress) {
  Point point;
  point.settings = settings_of(spec);
  point.command = spec.command;
  try {
    run(spec, progress, point);
  } catch (const std::exception& error) {
    return refused_point(point.settings, point.command, error);
  }
  return point;
}

}  // namespace nongemm::micro
