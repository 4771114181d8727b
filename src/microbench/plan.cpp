#include "microbench/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "flows/load.h"
#include "flows/options.h"
#include "graph/graph_json.h"
#include "microbench/operator_sweep.h"
#include "microbench/presets.h"
#include "microbench/replay.h"
#include "ops/check_graph.h"
#include "ops/communication.h"
#include "spec/command_line.h"
#include "spec/rank_place.h"
#include "study/build.h"
#include "study/output.h"

namespace nongemm::microbench {
namespace {

SchemaSource schema_source(const std::vector<std::string>& libraries) {
  return [libraries](const std::string& name) { return load_flow(kBaselineFlow).operator_schemas(name, libraries); };
}

PlannedCall planned(Call call, const RunSpec& run, const std::string& model) {
  return {.spec = {.call = std::move(call), .run = run, .model = model, .in_model = {}}, .refused = {}, .error = {}};
}

/// What is asked of an operator, with the number of ranks where it wants to be told.
OperatorRequest for_ranks(const OperatorInfo& info, const RunSpec& run) {
  const RankPlace place = run.runtime.place;
  if (is_collective(info.name) != place.is_one_of_several()) {
    throw place.is_one_of_several()
        ? Error(ErrorKind::kUsage, "--tensor-parallel has no effect: " + info.name + " is no collective",
                "leave it out, or name all_reduce, all_gather_into_tensor, reduce_scatter_tensor, all_to_all_single")
        : Error(ErrorKind::kUsage, info.name + " wants other ranks", "add --tensor-parallel 2");
  }
  OperatorRequest request = run.op;
  const auto is_told = [](const std::string& text) { return text.starts_with("group_size="); };
  if (is_collective(info.name) && info.schema.find_arg("group_size") >= 0 &&
      std::none_of(request.arguments.begin(), request.arguments.end(), is_told)) {
    request.arguments.push_back("group_size=" + std::to_string(place.ranks));
  }
  return request;
}

std::vector<PlannedCall> plan_operators(const RunSpec& run) {
  std::vector<OperatorInfo> infos;  // all of them, before any is swept: a name that does not exist ends everything
  for (const std::string& name : run.op.names)
    infos.push_back(find_operator(name, schema_source(run.runtime.libraries)));
  std::vector<PlannedCall> calls;
  for (const OperatorInfo& info : infos) {
    for (SweptCall& swept : swept_calls(info, for_ranks(info, run))) {
      PlannedCall& call = calls.emplace_back(planned(std::move(swept.call), run, ""));
      call.refused = std::move(swept.refused);
      call.error = swept.error;
    }
  }
  return calls;
}

/// Types that the models of a preset are built in: those of a run.
std::vector<ModelOptions> options_of_models(const RunSpec& run) {
  std::vector<ModelOptions> all;
  for (const std::string& text : run.op.dtypes) {
    Request request{.run = run};
    option_table().option(kRun, "dtype").set(request, text);
    all.push_back(request.run.options);
  }
  if (all.empty()) all.push_back(run.options);
  return all;
}

std::vector<PlannedCall> plan_preset(const RunSpec& run, const Note& note) {
  std::vector<PlannedCall> calls;
  for (const ModelOptions& options : options_of_models(run)) {
    std::vector<std::string> skipped;
    for (ModelCall& call : preset_calls(run.op.preset, options, schema_source(run.runtime.libraries), skipped)) {
      calls.push_back(planned(std::move(call.call), run, call.model));
    }
    for (const std::string& text : skipped) note("left out " + text);
  }
  return calls;
}

std::vector<PlannedCall> plan_graph(const std::string& text, const RunSpec& run) {
  const Graph graph = graph_from_json(text, run.op.from);
  verify(graph);
  std::vector<PlannedCall> calls;
  for (ModelCall& call : calls_of(
           graph, [](Group) { return true; }, schema_source(run.runtime.libraries))) {
    calls.push_back(planned(std::move(call.call), run, graph.name));
  }
  return calls;
}

/// Reports of version 1 have the command alone.
RunSpec recorded_spec(const Point& point) {
  if (point.specification.empty()) return parse_recorded_command(option_table(), point.command);
  return option_table().request_of(kRun, point.specification).run;
}

/// Paths of a report are those of the folder that its run was started in.
RunSpec as_from(const std::filesystem::path& folder, RunSpec run) {
  const auto found = [&](std::string& path) {
    std::error_code ignored;
    const std::filesystem::path there = folder / path;
    if (!path.empty() && std::filesystem::exists(there, ignored)) path = there.string();
  };
  if (find_registered(run.model).row == nullptr) found(run.model);
  for (std::string* path : {&run.weights, &run.data, &run.inputs, &run.counting.groups}) found(*path);
  return run;
}

std::filesystem::path folder_of(const Document& document) {
  for (const auto& [name, value] : document.context) {
    if (name == kStartedIn) return value;
  }
  return {};
}

/// A report may come from anywhere: what it names is code, and is loaded only when the user says so, too.
void check_libraries(const RunSpec& recorded, const std::vector<std::string>& allowed) {
  for (const std::string& library : recorded.runtime.libraries) {
    if (std::find(allowed.begin(), allowed.end(), library) != allowed.end()) continue;
    throw Error(ErrorKind::kUsage, "the report's operators come from the library '" + library + "'",
                "if you trust it: --load-library " + library);
  }
}

/// What the command line does not say is as it was in the report.
RunSpec as_recorded(RunSpec run, const RunSpec& recorded, const Selection& selection) {
  if (!is_given(selection, "device")) run.runtime.device = recorded.runtime.device;
  if (!is_given(selection, "threads")) run.runtime.threads = recorded.runtime.threads;
  if (!is_given(selection, "tf32")) run.runtime.tf32 = recorded.runtime.tf32;
  return run;
}

void plan_point(const Point& point, const std::filesystem::path& folder, const RunSpec& run, const Selection& selection,
                const Note& note, std::vector<PlannedCall>& calls) {
  const RunSpec recorded = as_from(folder, recorded_spec(point));
  if (point.tables.empty()) {
    throw Error(ErrorKind::kUnsupported, fmt::format("it was not measured ({})", name_of(point.status.kind)),
                "replay a point that was");
  }
  check_libraries(recorded, run.runtime.libraries);
  const RunSpec as_before = as_recorded(run, recorded, selection);
  const BuiltModel built = build_model(recorded, [](const std::string&) {});
  std::size_t left_out = 0;
  for (ReplayCall& call : replay_calls(*built.graph, point, schema_source(run.runtime.libraries), left_out)) {
    calls.push_back(planned(std::move(call.call), as_before, recorded.model));
    calls.back().spec.in_model = std::move(call.in_model);
  }
  if (left_out == 0) return;
  note(fmt::format("{}: {} nodes are left out, an operand of theirs is known to the run alone", recorded.model,
                   left_out));
}

std::vector<PlannedCall> plan_report(const RunSpec& run, const Selection& selection, const Note& note) {
  const Document document = read_document(run.op.from);
  std::vector<PlannedCall> calls;
  std::optional<Error> first_error;
  for (std::size_t i = 0; i < document.points.size(); ++i) {
    const Point& point = document.points[i];
    try {
      plan_point(point, folder_of(document), run, selection, note, calls);
    } catch (const Error& error) {
      if (!first_error)
        first_error.emplace(error.kind(), fmt::format("{}, point {}: {}", run.op.from, i + 1, error.what()));
      note(fmt::format("{} ({}): not replayed: {}", point.setting("model"), point.setting("flow"), error.what()));
    }
  }
  if (calls.empty() && first_error) throw Error(*first_error);
  if (calls.empty()) throw Error(ErrorKind::kBadInput, run.op.from + " holds no call to replay");
  return calls;
}

std::vector<PlannedCall> plan_from(const RunSpec& run, const Selection& selection, const Note& note) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30;
  constexpr std::size_t kHead = 200;  // a report says in its first line what it is
  const std::string text = read_file(run.op.from, kMostBytes);
  const std::string_view head = std::string_view(text).substr(0, kHead);
  if (head.find("\"nongemm-report\"") != std::string_view::npos) return plan_report(run, selection, note);
  if (head.find("\"nongemm-graph\"") != std::string_view::npos) return plan_graph(text, run);
  throw Error(ErrorKind::kBadInput, run.op.from + " is neither a report nor a graph",
              "give a report.json, or what `nongemm inspect MODEL --graph` printed");
}

/// Options that would have no effect are refused: they are mistakes.
void check_subject(const Selection& selection) {
  const int given = static_cast<int>(is_given(selection, "operator")) +
                    static_cast<int>(is_given(selection, "preset")) + static_cast<int>(is_given(selection, "from"));
  if (given != 1) {
    throw Error(ErrorKind::kUsage,
                given == 0 ? "no operator is named" : "operator, --preset and --from exclude each other",
                "nongemm op layer_norm --shape 1x2048x4096, nongemm op --preset gpt2 or nongemm op --from report.json");
  }
  for (const char* name : {"shape", "arg", "layout", "values"}) {
    if (is_given(selection, "operator") || !is_given(selection, name)) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("--{}: --shape, --arg, --layout and --values are for one operator", name),
                "name it, or leave these to the preset or report");
  }
  for (const char* name : {"attention", "seq-len", "image-size", "batch", "detections"}) {
    if (is_given(selection, "preset") || !is_given(selection, name)) continue;
    throw Error(ErrorKind::kUsage,
                fmt::format("--{} has no effect: it says what a preset's models are built for", name), "leave it out");
  }
}

std::vector<PlannedCall> plan_once(const RunSpec& run, const Selection& selection, const Note& note) {
  if (!run.op.names.empty()) return plan_operators(run);
  return run.op.preset.empty() ? plan_from(run, selection, note) : plan_preset(run, note);
}

/// Where and how each call runs: device, cache, flow, and its settings.
constexpr std::array<std::string_view, 3> kAround = {"device", "cache", "flow"};

bool is_around(const Option& option) {
  return option.of_flow || std::find(kAround.begin(), kAround.end(), option.name) != kAround.end();
}

std::vector<RunSpec> runs_of(const Selection& selection, const RunSpec& base) {
  std::vector<Request> runs{Request{.run = base}};
  for (const std::string_view name : kAround) {
    const Selection part = part_of(
        selection, [&](const Option& option) { return option.name == name || (name == "flow" && option.of_flow); });
    std::vector<Request> next;
    for (const Request& run : runs) {
      for (Request& point : option_table().points(kOp, part, run)) next.push_back(std::move(point));
    }
    runs = std::move(next);
  }
  std::vector<RunSpec> specs;
  for (Request& run : runs) specs.push_back(std::move(run.run));
  return specs;
}

}  // namespace

std::vector<PlannedCall> plan_calls(const Selection& selection, const Note& note) {
  check_subject(selection);
  const Selection of_calls = part_of(selection, [](const Option& option) { return !is_around(option); });
  const Selection devices = part_of(selection, [](const Option& option) { return option.name == "device"; });
  // Some models choose operators by device; those of a preset are built for the first one.
  const Request base = option_table().points(kOp, devices).front();
  std::vector<PlannedCall> planned;
  for (const Request& request : option_table().points(kOp, of_calls, base)) {
    for (const PlannedCall& call : plan_once(request.run, selection, note)) {
      for (RunSpec& run : runs_of(selection, call.spec.run)) {
        planned.push_back(call);
        planned.back().spec.run = std::move(run);
      }
    }
  }
  if (planned.empty()) {
    throw Error(ErrorKind::kUsage, "there is no operator to measure",
                "nongemm list models and docs/measuring.md name models and groups");
  }
  return planned;
}

Point point_of(const PlannedCall& planned, const std::function<void(const std::string&)>& progress) {
  if (!planned.error) return op_point(planned.spec, progress);
  try {
    std::rethrow_exception(planned.error);
  } catch (const std::exception& error) {
    return refused_point(planned.spec, planned.refused, error);
  }
}

}  // namespace nongemm::microbench
