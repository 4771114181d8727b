// nongemm run MODEL... or PLAN.toml
#include <fmt/format.h>

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

std::vector<Request> requests_of(const Selection& selection) {
  std::vector<Request> requests;
  for (const Selection& one : selections_of(selection)) {
    check_inputs(one);
    const std::vector<Request> of_one = option_table().points(kRun, one);
    check_effects(one, of_one);
    requests.insert(requests.end(), of_one.begin(), of_one.end());
  }
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
