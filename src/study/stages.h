// What a point goes through after its model is built (build.h), each a value in and a value out: prepare, measure,
// analyse, tabulate. point.h puts them together.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fusion.h"
#include "analysis/roofline.h"
#include "flows/flow.h"
#include "record/record.h"
#include "report/field.h"
#include "study/build.h"

namespace nongemm {

/// Weights and inputs of a run, ready for a session.
struct PreparedRun {
  PreparedWeights weights;
  PreparedInputs inputs;
};
/// Throws before anything is allocated where the host's memory does not suffice.
PreparedRun prepare_run(const RunSpec& spec, const BuiltModel& built);

struct MeasuredRun {
  Record record;
  std::string no_replay;  // why there is none although it was asked for
};
MeasuredRun measure_run(const RunSpec& spec, const BuiltModel& built, Session& session, const Progress& progress);

/// Where the device's limits come from.
struct LimitsSource {
  std::function<std::optional<DeviceLimits>()> known;
  /// For a run that was faster than those; nothing when there is no reason to doubt them.
  std::function<std::optional<DeviceLimits>()> raised;
};

struct AnalysedRun {
  Record record;  // with the limits that it was analysed with
  Analysis analysis;
  std::optional<FusionAnalysis> fusion;  // of a runtime with a program of its own
  std::optional<Roofline> roofline;      // where limits are known
  std::optional<Analysis> replay;
};
/// @param node_by_node the baseline flow's analysis of the same point; nullptr without one
/// @param ranks what several ranks did in the same inferences; nullptr for one alone
AnalysedRun analyse_run(Record record, const AnalysisOptions& counting, const LimitsSource& limits,
                        const Analysis* node_by_node, const RankWaits* ranks = nullptr);

/// @param setup_s from the specification to a session that is ready
std::vector<Table> tabulate_run(const RunSpec& spec, const BuiltModel& built, const AnalysedRun& analysed,
                                double setup_s);

/// Of a model that is not run.
std::vector<Table> tabulate_static(const BuiltModel& built, const Record& record, const Analysis& analysis);

}  // namespace nongemm
