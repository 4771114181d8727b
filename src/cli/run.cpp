// nongemm run MODEL... or PLAN.toml
#include <fmt/format.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "spec/plan.h"
#include "study/counting.h"
#include "study/output.h"
#include "study/point.h"
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

std::vector<Request> points_of(const Selection& selection) {
  std::vector<Request> points;
  for (const Selection& one : selections_of(selection)) {
    check_inputs(one);
    for (Request& point : option_table().points(kRun, one)) points.push_back(std::move(point));
  }
  return points;
}

/// What is wrong with any point is told before the first one runs.
void check_points(const std::vector<Request>& points) {
  check_output(points.front().output);
  for (const Request& point : points) {
    find_model(point.run.model);
    analysis_options(point.run.counting);
  }
}

}  // namespace

ExitCode run_command(const Selection& selection) {
  const std::vector<Request> points = points_of(selection);
  check_points(points);
  const OutputOptions& output = points.front().output;
  Document document;
  document.context = make_context();
  Checkpoints checkpoints(output.folder);
  Baseline baseline;
  run_sweep(
      {.points = points.size(),
       .name = [&](std::size_t i) { return points[i].run.model; },
       .measure = [&](std::size_t i, const Progress& progress) { return run_point(points[i].run, progress, baseline); },
       .say = say_on_terminal,
       .added = [&](const Document& so_far) { checkpoints.add(so_far); }},
      document);
  write_output(document, output);
  return exit_code_of(document);
}

}  // namespace nongemm::cli
