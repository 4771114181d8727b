// nongemm study list, nongemm study NAME
#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/command.h"
#include "cli/points.h"
#include "flows/load.h"
#include "prepare/model.h"
#include "spec/plan.h"
#include "studies/plan.h"
#include "studies/study_document.h"
#include "study/child.h"
#include "study/effects.h"
#include "study/journal.h"
#include "study/output.h"
#include "study/quantized_run.h"

namespace nongemm::cli {
namespace {

/// What a study has in common with `run`, and is no part of how points are gone through: it takes the plan's place.
bool is_of_points(const Option& option) {
  return option.is_for(kRun) && option.section != OptionSection::kSweep && option.section != OptionSection::kOutput;
}

/// The first device that is not the CPU.
std::string accelerator_of(const StudyRequest& request) {
  for (const std::string& device : request.devices) {
    if (!parse_device(device).is_host()) return device;
  }
  return "cuda";
}

StudySetting setting_of(const StudyRequest& request) {
  StudySetting setting;
  setting.quick = request.quick;
  setting.accelerator = accelerator_of(request);
  for (const FlowDescription* flow : known_flows()) setting.flows.emplace_back(flow->name);
  setting.has_option = [](const std::string& name) { return option_table().find(kRun, name) != nullptr; };
  return setting;
}

[[noreturn]] void refuse(const Option& option, const char* reason) {
  throw Error(ErrorKind::kUsage, fmt::format("{} has no effect: {}", option.spelled(), reason), "leave it out");
}

/// Of what was recorded only the look of its tables can be chosen; of a plan's points nothing that chooses a study's.
void check_choices(const Selection& selection, const StudyRequest& request) {
  for (const GivenOption& given : selection) {
    const Option& option = *given.option;
    const bool is_look = option.section == OptionSection::kSubject || option.section == OptionSection::kOutput;
    if (!request.from.empty() && !is_look) refuse(option, "--from makes tables of what was recorded");
    const bool chooses =
        option.name == "model" || option.name == "flow" || option.name == "device" || option.name == "quick";
    if (!request.plan.empty() && chooses) refuse(option, "--plan says which points there are");
  }
}

std::vector<KeyedPoint> points_of(const Study& study, const Request& how, const Selection& selection) {
  const Selection over = part_of(selection, is_of_points);
  const std::string& plan = how.studied.plan;
  const std::vector<Selection> parts =
      plan.empty() ? selections_of(option_table(), study.plan(setting_of(how.studied)), how.studied, over)
                   : read_plan(option_table(), plan, over);
  // Before points of it are run or listed, as `run` does.
  for (const std::string& model : how.studied.models) find_model(model);
  const Command command = study.is_static ? kInspect : kRun;
  std::vector<Request> requests;
  for (const Selection& part : parts) {
    for (Request& request : option_table().points(kRun, part)) {
      if (study.is_static) {
        const Device device = defaults_of(kInspect).run.runtime.device;
        request.run.runtime.device = device;
        request.run.options.device = device.kind;
      }
      request.sweep = how.sweep;
      request.output = how.output;
      requests.push_back(std::move(request));
    }
  }
  check_run_effects(selection, requests);
  return keyed_points(command, with_unquantized(std::move(requests)), how.sweep.points);
}

/// One question for each flow and device.
std::function<std::string(const RunSpec& run)> why_not_here() {
  auto known = std::make_shared<std::map<std::pair<std::string, std::string>, std::string>>();
  return [known](const RunSpec& run) {
    const auto key = std::make_pair(run.flow, to_string(run.runtime.device));
    const auto at = known->find(key);
    if (at != known->end()) return at->second;
    return known->emplace(key, why_unavailable(run.flow, run.runtime.device)).first->second;
  };
}

/// Of several reports together; the first one says on which machine.
Document recorded(const std::vector<std::string>& paths) {
  Document all;
  for (const std::string& path : paths) {
    Document document = read_report(path);
    if (all.context.empty()) all.context = std::move(document.context);
    for (Point& point : document.points) all.points.push_back(std::move(point));
  }
  return all;
}

/// A machine's missing pieces are rows, and fail nothing as long as something was measured.
ExitCode conclude_study(const Document& document) {
  Document told{document.context, {}};
  bool any = false;
  for (const Point& point : document.points) any = any || point.status.ok();
  for (const Point& point : document.points) {
    const bool missing = point.status.kind == StatusKind::kUnsupported || point.status.kind == StatusKind::kOutOfMemory;
    if (!any || !missing) told.points.push_back(point);
  }
  return conclude(told);
}

Document measured(const Study& study, const Request& how, const Selection& selection) {
  const std::vector<KeyedPoint> points = points_of(study, how, selection);
  check_points(points);
  Document document;
  document.context = make_context();
  MeasuringWay way{.how = how, .selection = selection, .name = "study", .is_static = study.is_static};
  way.why_not = why_not_here();
  measure_points(points, way, document);
  return document;
}

}  // namespace

ExitCode study_command(const Selection& selection) {
  const Selection own = part_of(selection, [](const Option& option) { return !is_of_points(option); });
  const Request how = single_point(kStudy, own, "a study is one");
  if (how.studied.name == "list") {
    fmt::print("{}", studies_text());
    return kSuccess;
  }
  const Study& study = find_study(how.studied.name);
  check_choices(selection, how.studied);
  if (!how.studied.from.empty()) {
    const Document document = study_document(study, recorded(how.studied.from));
    check_output(how.output);
    write_output(document, how.output);
    return kSuccess;
  }
  if (study.not_available != nullptr) {
    const std::string reason = study.not_available(setting_of(how.studied));
    if (!reason.empty()) throw Error(ErrorKind::kUnsupported, "not available: " + reason);
  }
  if (how.print_commands) {
    return print_points(study.is_static ? kInspect : kRun, points_of(study, how, selection));
  }
  const Document runs = measured(study, how, selection);
  write_output(study_document(study, runs), how.output);
  return conclude_study(runs);
}

}  // namespace nongemm::cli
