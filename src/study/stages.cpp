#include "study/stages.h"

#include <algorithm>
#include <utility>

#include "analysis/doubts.h"
#include "base/error.h"
#include "base/statistics.h"
#include "profile/device_pass.h"
#include "profile/measurement.h"
#include "report/sections.h"

namespace nongemm {
namespace {

std::int64_t number_of(const Graph& graph, const std::string& attribute, std::int64_t otherwise) {
  const auto at = graph.attributes.find(attribute);
  return at == graph.attributes.end() ? otherwise : std::stoll(at->second);
}

/// Figures that every report of a model has.
RunFigures figures_of(const BuiltModel& built, const Record& record, const Analysis& analysis) {
  return {.record = &record,
          .analysis = &analysis,
          .batch = number_of(*built.graph, "batch", 1),
          .tokens = number_of(*built.graph, "sequence", 0)};
}

bool can_be_held_against_limits(const Record& record) {
  return !record.incomplete && record.phases.front().devices.front().nodes.averaged > 0;
}

/// The record gets the limits that it is analysed with.
Analysis analyse_with_limits(Record& record, const AnalysisOptions& counting, const LimitsSource& source) {
  std::optional<DeviceLimits>& limits = record.devices.front().limits;
  if (can_be_held_against_limits(record)) limits = source.known();
  Analysis analysis = analyse(record, counting);
  if (!limits || !products_exceed(analysis, *limits)) return analysis;
  std::optional<DeviceLimits> raised = source.raised();
  if (!raised) return analysis;
  limits = std::move(raised);
  return analyse(record, counting);
}

}  // namespace

PreparedRun prepare_run(const RunSpec& spec, const BuiltModel& built) {
  PreparedRun prepared;
  prepared.weights = prepare_weights(built.model, *built.graph, spec.weights, spec.runtime.seed);
  if (spec.runtime.device.is_host()) check_host_memory(*built.graph, prepared.weights);
  prepared.inputs = prepare_inputs(*built.graph, built.data ? &*built.data : nullptr, spec.runtime.seed);
  return prepared;
}

MeasuredRun measure_run(const RunSpec& spec, const BuiltModel& built, Session& session, const Progress& progress) {
  MeasuredRun measured;
  progress("measuring");
  measured.record = measure(session, built.graph, {spec.policy}, !spec.runtime.device.is_host());
  measured.record.fp32_in_tf32 = session.fp32_in_tf32();
  if (!spec.replay || measured.record.incomplete) return measured;
  progress("replaying");
  try {
    measured.record.phases.push_back(measure_replay(session, *built.graph, {spec.policy}));
  } catch (const Error& error) {
    // The eager figures are worth having all the same.
    measured.no_replay = error.what();
  }
  return measured;
}

AnalysedRun analyse_run(Record record, const AnalysisOptions& counting, const LimitsSource& limits,
                        const Analysis* node_by_node, const RankWaits* ranks) {
  AnalysedRun analysed;
  analysed.analysis = analyse_with_limits(record, counting, limits);
  const Entry& entry = record.entries.front();
  if (entry.program && analysed.analysis.measured) {
    analysed.fusion = analyse_fusion(*entry.program, analysed.analysis, counting, node_by_node);
  }
  for (std::size_t i = 0; i < record.phases.size(); ++i) {
    if (record.phases[i].kind == PhaseKind::kReplay) analysed.replay = analyse(record, counting, {.phase = i});
  }
  const LatencyPass& plain = record.phases.front().latency;
  if (record.devices.front().limits && passes_agree(analysed.analysis, plain)) {
    analysed.roofline = make_roofline(analysed.analysis, median(plain.samples_s), ranks);
  }
  analysed.record = std::move(record);
  return analysed;
}

std::vector<Table> tabulate_run(const RunSpec& spec, const BuiltModel& built, const AnalysedRun& analysed,
                                double setup_s) {
  RunFigures figures = figures_of(built, analysed.record, analysed.analysis);
  figures.setup_s = setup_s;
  const bool in_full = std::find(spec.keep.begin(), spec.keep.end(), "timeline") != spec.keep.end();
  if (in_full) figures.most_records = kMostRecordsKept;
  if (analysed.replay) figures.replay_analysis = &*analysed.replay;
  if (analysed.roofline) figures.roofline = &*analysed.roofline;
  if (analysed.fusion) figures.fusion = &*analysed.fusion;
  if (built.data) figures.preprocessing = built.data->preprocessing;
  return make_tables(figures);
}

std::vector<Table> tabulate_static(const BuiltModel& built, const Record& record, const Analysis& analysis) {
  return make_tables(figures_of(built, record, analysis));
}

}  // namespace nongemm
