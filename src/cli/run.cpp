// nongemm run MODEL... or PLAN.toml
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "cli/points.h"
#include "cli/rank_points.h"
#include "spec/plan.h"
#include "study/effects.h"
#include "study/output.h"
#include "study/quantized_run.h"

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

/// The plan in place of models; empty where there is none.
std::string plan_of(const Selection& selection) {
  std::vector<std::string> models;
  for (const GivenOption& given : selection) {
    if (given.option->name == "model") models = given.values;
  }
  if (models.empty() || !models.front().ends_with(".toml")) return "";
  if (models.size() > 1) {
    throw Error(ErrorKind::kUsage, "a plan says itself which models are run", "give " + models.front() + " alone");
  }
  return models.front();
}

using Points = std::vector<Request>;

Points sweep_points(const Selection& selection) {
  check_inputs(selection);
  return option_table().points(kRun, selection);
}

bool has_effect(const GivenOption& given, const Points& points) {
  try {
    check_effects({given}, points);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// What stands above several sweeps has to have an effect in one of them.
void check_sweep_effects(const std::vector<Selection>& sweeps, const std::vector<Points>& points, std::size_t i) {
  check_effects({}, points[i]);  // unknown models
  for (const GivenOption& given : sweeps[i]) {
    bool any = false;
    for (std::size_t j = 0; j < sweeps.size() && !any; ++j) {
      any = std::any_of(sweeps[j].begin(), sweeps[j].end(), [&](const GivenOption& other) {
        return other.option == given.option && other.values == given.values && has_effect(other, points[j]);
      });
    }
    if (!any) check_effects({given}, points[i]);
  }
}

/// Errors name the plan and the sweep.
template <typename Work>
void in_sweep(const std::string& plan, std::size_t i, std::size_t sweeps, Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    const std::string place = sweeps == 1 ? plan : fmt::format("{}, sweep {}", plan, i + 1);
    throw Error(error.kind(), fmt::format("{}: {}", place, error.what()));
  }
}

/// The options of the command line replace the plan's.
std::vector<Request> requests_of_plan(const std::string& plan, const Selection& selection) {
  const Selection over = part_of(selection, [](const Option& option) { return option.name != "model"; });
  const std::vector<Selection> sweeps = read_plan(option_table(), plan, over);
  std::vector<Points> points(sweeps.size());
  for (std::size_t i = 0; i < sweeps.size(); ++i) {
    in_sweep(plan, i, sweeps.size(), [&] { points[i] = sweep_points(sweeps[i]); });
  }
  std::vector<Request> requests;
  for (std::size_t i = 0; i < sweeps.size(); ++i) {
    in_sweep(plan, i, sweeps.size(), [&] { check_sweep_effects(sweeps, points, i); });
    requests.insert(requests.end(), points[i].begin(), points[i].end());
  }
  return requests;
}

std::vector<Request> requests_of(const Selection& selection) {
  const std::string plan = plan_of(selection);
  if (!plan.empty()) return with_unquantized(requests_of_plan(plan, selection));
  std::vector<Request> requests = sweep_points(selection);
  check_effects(selection, requests);
  return with_unquantized(std::move(requests));
}

}  // namespace

ExitCode run_command(const Selection& selection) {
  std::vector<Request> requests = requests_of(selection);
  const Request how = requests.front();
  const std::vector<KeyedPoint> points = keyed_points(kRun, std::move(requests), how.sweep.points);
  if (how.print_commands) return print_points(kRun, points);
  check_points(points);
  Document document;
  document.context = make_context();
  measure_points(points, {.how = how, .selection = selection}, document);
  if (writes_reports(points)) write_output(document, how.output);
  return conclude(document);
}

}  // namespace nongemm::cli
