// nongemm run MODEL... or PLAN.toml
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "spec/plan.h"
#include "study/child.h"
#include "study/counting.h"
#include "study/effects.h"
#include "study/output.h"
#include "study/point.h"
#include "study/quantized_run.h"
#include "study/sweep.h"

namespace nongemm::cli {
namespace {

/// Prepared inputs have one batch and one length: what the options say of these would have no effect. A length may
/// still be needed where the file lacks the tokens.
void check_inputs(const Selection& selection) {
  if (!is_given(selection, "inputs")) return;
  for (const GivenOption& given : selection) {
    const std::string& name = given.option->name;
    const bool decided = name == "batch" || name == "data" || (name == "seq-len" && given.values.size() > 1);
    if (!decided) continue;
    throw Error(ErrorKind::kUsage, fmt::format("{} has no effect: --inputs decides it", given.option->spelled()),
                "leave it out, and run once for each file of inputs");
  }
}

/// A plan in place of models; the other options replace the plan's.
std::vector<Selection> selections_of(const Selection& selection) {
  const Option* model = option_table().find(kRun, "model");
  std::vector<std::string> models;
  for (const GivenOption& given : selection) {
    if (given.option == model) models = given.values;
  }
  if (models.empty() || !models.front().ends_with(".toml")) return {selection};
  if (models.size() > 1) {
    throw Error(ErrorKind::kUsage, "a plan says itself which models are run", "give " + models.front() + " alone");
  }
  const Selection over = part_of(selection, [&](const Option& option) { return &option != model; });
  return read_plan(option_table(), models.front(), over);
}

/// A point of the sweep with what it is known by.
struct KeyedPoint {
  std::string key;
  Request request;
};

/// Points that several parts of a plan have in common are run once.
std::vector<KeyedPoint> points_of(const Selection& selection) {
  std::vector<Request> requests;
  for (const Selection& one : selections_of(selection)) {
    check_inputs(one);
    const std::vector<Request> of_one = option_table().points(kRun, one);
    check_effects(one, of_one);
    requests.insert(requests.end(), of_one.begin(), of_one.end());
  }
  std::vector<KeyedPoint> points;
  std::set<std::string> known;
  for (Request& request : with_unquantized(std::move(requests))) {
    std::string key = option_table().key_of(kRun, request);
    if (known.insert(key).second) points.push_back({std::move(key), std::move(request)});
  }
  return points;
}

/// What is wrong with any point is told before the first one runs.
void check_points(const std::vector<KeyedPoint>& points) {
  check_output(points.front().request.output);
  for (const KeyedPoint& point : points) analysis_options(point.request.run.counting);
}

/// Those that --point names.
std::vector<KeyedPoint> chosen(std::vector<KeyedPoint> points) {
  const std::vector<std::string> keys = points.front().request.sweep.points;
  if (keys.empty()) return points;
  std::vector<std::string> known;
  for (const KeyedPoint& point : points) known.push_back(point.key);
  for (const std::string& key : keys) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    throw Error(ErrorKind::kUsage, fmt::format("no point of the sweep has the key '{}'", key),
                "--list prints the keys");
  }
  std::erase_if(points,
                [&](const KeyedPoint& point) { return std::find(keys.begin(), keys.end(), point.key) == keys.end(); });
  return points;
}

/// A round of all points after another where several processes measure each: a machine that drifts does so for all.
Sweep sweep_of(const std::vector<KeyedPoint>& points, int processes) {
  Sweep sweep;
  for (int process = 1; process <= processes; ++process) {
    for (const KeyedPoint& point : points) {
      const RunSpec& run = point.request.run;
      sweep.points.push_back({run.model, point.key, run.flow, processes > 1 ? process : 0});
    }
  }
  sweep.say = say_on_terminal;
  sweep.runtime_version = runtime_version_elsewhere;
  return sweep;
}

/// Where and how the sweep's points are measured, as the options say.
MeasurePoints measured(const std::vector<KeyedPoint>& points, const Sweep& sweep, const Selection& selection,
                       Baseline& baseline) {
  const Request& first = points.front().request;
  const auto request = [&points](std::size_t i) -> const Request& { return points[i % points.size()].request; };
  const auto row = [request](std::size_t i) { return row_of(kRun, request(i).run); };
  if (first.sweep.launcher == "slurm") return in_slurm(sweep.points, row, slurm_options(selection, first));
  if (is_isolated(first.sweep)) return in_children(child_task(request), row, child_options(first.sweep));
  return in_this_process([&baseline, request](std::size_t i, const Progress& progress) {
    return run_point(request(i).run, progress, baseline);
  });
}

}  // namespace

ExitCode run_command(const Selection& selection) {
  const std::vector<KeyedPoint> points = chosen(points_of(selection));
  const Request& first = points.front().request;
  if (first.print_commands) {
    for (const KeyedPoint& point : points) {
      fmt::print("{}\t{}\n", point.key, option_table().command_of(kRun, point.request));
    }
    return kSuccess;
  }
  check_points(points);
  for (const KeyedPoint& point : points) check_sweep(point.request);
  Document document;
  document.context = make_context();
  Sweep sweep = sweep_of(points, first.sweep.processes);
  Baseline baseline;
  baseline.want_as_it_is(std::any_of(points.begin(), points.end(), [](const KeyedPoint& point) {
    return point.request.run.options.quantize.scheme != QuantizeScheme::kNone;
  }));
  sweep.measure = measured(points, sweep, selection, baseline);
  run_sweep_with_journal(first, sweep, document);
  write_output(document, first.output);
  return conclude(document);
}

}  // namespace nongemm::cli
