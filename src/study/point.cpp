#include "study/point.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/statistics.h"
#include "flows/load.h"
#include "flows/options.h"
#include "spec/rank_place.h"
#include "study/counting.h"
#include "study/generation_point.h"
#include "study/limits_cache.h"
#include "study/quantized_run.h"
#include "study/ranked_run.h"
#include "study/stages.h"
#include "verify/compare_outputs.h"

namespace nongemm {
namespace {

/// Attributes that the builder decided (sequence length, attention, image size) belong to the settings, too; batch and
/// dtype of a model file are its own.
void add_attributes(const Graph& graph, Point& point) {
  for (const auto& [key, value] : graph.attributes) {
    const auto setting = std::find_if(point.settings.begin(), point.settings.end(),
                                      [&name = key](const auto& row) { return row.first == name; });
    if (setting == point.settings.end()) {
      point.settings.emplace_back(key, value);
    } else if (const std::optional<DType> dtype = key == "dtype" ? parse_dtype(value) : std::nullopt) {
      setting->second = short_name_of(*dtype);
    } else {
      setting->second = value;
    }
  }
}

/// What the flows of a point have in common.
std::string key_of(RunSpec spec) {
  spec.flow = kBaselineFlow;
  spec.runtime.settings.clear();
  return option_table().key_of(kRun, {.run = std::move(spec)});
}

void add_note(const std::string& note, Point& point) {
  point.status.reason += (point.status.reason.empty() ? "" : "; ") + note;
}

void note_groups_without_effect(const AnalysisOptions& counting, const Graph& graph, Point& point) {
  if (counting.rules == nullptr) return;
  for (const std::string& rule : counting.rules->without_effect(graph)) {
    add_note("of --groups, " + rule + " matches nothing", point);
  }
}

/// The baseline's outputs, where another flow's are held against them.
std::vector<HostTensor> expected_outputs(const RunSpec& spec, const BuiltModel& built, const PreparedRun& prepared,
                                         const RunOptions& options, Baseline& baseline, Point& point) {
  if (!spec.check || spec.flow == kBaselineFlow) return {};
  options.progress("running torch for its outputs");
  try {
    return baseline.outputs(
        [&] { return torch_outputs(*built.graph, prepared.weights.tensors, prepared.inputs.tensors, options); });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnsupported) throw;
    add_note(std::string("not compared with PyTorch: ") + error.what(), point);
    return {};
  }
}

LimitsSource limits_source(const RunSpec& spec, Flow& flow, const RunOptions& options) {
  return {.known = [&spec, &flow, &options]() -> std::optional<DeviceLimits> {
            if (!spec.limits) return std::nullopt;
            options.progress("device limits");
            return limits_of(flow, options, spec.fresh_limits);
          },
          .raised =
              [&flow, &options] {
                options.progress("device limits again: this run was faster");
                return raise_limits(flow, options);
              }};
}

/// Tables in which the flows of a point meet stand after the first one.
void compare_flows(const RunSpec& spec, const AnalysedRun& analysed, Baseline& baseline, Point& point) {
  const Analysis& analysis = analysed.analysis;
  const Analysis* node_by_node = spec.flow == kBaselineFlow && analysis.measured ? &analysis : nullptr;
  const double latency_s = median(analysed.record.phases.front().latency.samples_s);
  const auto& flows = baseline.add(
      flow_figures(spec.flow, latency_s, analysis, analysed.fusion ? &*analysed.fusion : nullptr), node_by_node);
  if (flows.size() > 1) point.tables.insert(point.tables.begin() + 1, make_flows_table(flows));
}

void check_outputs(const RunSpec& spec, const Graph& graph, Session& session, const std::vector<HostTensor>& expected,
                   Baseline& baseline, Point& point) {
  if (!spec.check || interrupted()) return;
  session.run();
  std::vector<HostTensor> outputs = session.outputs();
  if (spec.flow == kBaselineFlow) {
    baseline.set_outputs(std::move(outputs));
  } else if (!expected.empty()) {
    point.tables.insert(point.tables.begin() + 1, make_check_table(compare_outputs(graph, expected, outputs)));
  }
}

std::vector<SampleSet> samples_of(const Record& record) {
  const Phase& inference = record.phases.front();
  const NodePass& nodes = inference.devices.front().nodes;
  std::vector<SampleSet> samples = {{"warmup", inference.latency.warmup_s},
                                    {"latency", inference.latency.samples_s},
                                    {"node_pass", nodes.wall_s},
                                    {"node_pass_plain", nodes.plain_s}};
  if (!inference.latency.clocks_hz.empty()) samples.push_back({"latency_clock", inference.latency.clocks_hz});
  if (const Phase* replay = record.find(PhaseKind::kReplay)) {
    samples.push_back({"replay", replay->latency.samples_s});
  }
  return samples;
}

void run(const RunSpec& spec, const Progress& progress, Baseline& baseline, Point& point) {
  const Stopwatch setup;
  const AnalysisOptions counting = analysis_options(spec.counting);
  const BuiltModel built = build_model(spec, progress);
  add_attributes(*built.graph, point);
  note_groups_without_effect(counting, *built.graph, point);
  PreparedRun prepared = prepare_run(spec, built);
  point.settings.emplace_back("weights", prepared.weights.source);
  point.settings.emplace_back("inputs", prepared.inputs.source);

  progress("loading " + spec.flow);
  Flow& flow = load_flow(spec.flow);
  point.settings.emplace_back("runtime", flow.info().version);
  RunOptions options(spec.runtime);
  options.progress = progress;
  baseline.begin_point(key_of(spec));
  const std::vector<HostTensor> expected = expected_outputs(spec, built, prepared, options, baseline, point);
  if (spec.runtime.place.is_one_of_several()) {
    progress("waiting for the other ranks");
    flow.communicator(options);
  }
  progress("preparing weights");
  const std::unique_ptr<Session> session = flow.prepare(*built.graph, prepared.weights.tensors, options);
  prepared.weights.tensors.clear();
  session->set_inputs(prepared.inputs.tensors);
  const double setup_s = setup.seconds();
  RankedRun ranked(spec, *built.graph, flow, options, *session);
  if (ranked.follows()) return;

  MeasuredRun measured = measure_run(spec, built, ranked.session(), progress);
  const RankWaits* waits = ranked.compare();
  measured.record.collectives = ranked.limits();
  const AnalysedRun analysed =
      analyse_run(std::move(measured.record), counting, limits_source(spec, flow, options), baseline.analysis(), waits);
  point.tables = tabulate_run(spec, built, analysed, setup_s);
  compare_flows(spec, analysed, baseline, point);
  check_outputs(spec, *built.graph, ranked.session(), expected, baseline, point);
  auto quantized = compare_with_unquantized(spec, built, analysed, *session, progress, baseline);
  point.tables.insert(point.tables.begin() + 1, std::make_move_iterator(quantized.begin()),
                      std::make_move_iterator(quantized.end()));
  ranked.finish(point);
  point.samples = samples_of(analysed.record);
  if (!measured.no_replay.empty()) add_note("no replay: " + measured.no_replay, point);
  if (analysed.record.incomplete || interrupted()) {
    point.status = {StatusKind::kIncomplete, "interrupted; the figures are of what was measured until then"};
  }
}

}  // namespace

Point row_of(Command command, const RunSpec& spec) {
  const Request request{.run = spec};
  Point point;
  point.command = option_table().command_of(command, request);
  point.key = option_table().key_of(command, request);
  point.specification = option_table().values_of(command, request);
  point.settings = option_table().settings_of(command, request);
  return point;
}

Point run_point(const RunSpec& spec, const Progress& progress, Baseline& baseline) {
  Point point = row_of(kRun, spec);
  try {
    spec.generate.tokens > 0 ? run_generation(spec, progress, point) : run(spec, progress, baseline, point);
  } catch (const std::exception& error) {
    point.status = status_of(error);
    if (interrupted()) point.status = {StatusKind::kIncomplete, "interrupted before anything was measured"};
  }
  return point;
}

Point inspect_point(const RunSpec& spec) {
  Point point = row_of(kInspect, spec);
  const BuiltModel built = build_model(spec, [](const std::string&) {});
  add_attributes(*built.graph, point);
  Record record;
  record.entries.emplace_back().graph = built.graph;
  const AnalysisOptions counting = analysis_options(spec.counting);
  note_groups_without_effect(counting, *built.graph, point);
  const Analysis analysis = analyse(record, counting);
  point.settings.emplace_back("nodes", std::to_string(built.graph->nodes.size()));
  point.settings.emplace_back("parameters", std::to_string(analysis.parameters));
  point.tables = tabulate_static(built, record, analysis);
  return point;
}

}  // namespace nongemm
