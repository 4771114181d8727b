#include "cli/op_specs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/recorded_command.h"
#include "flows/load.h"
#include "graph/graph_json.h"
#include "microbench/op_command.h"
#include "microbench/operand_rules.h"
#include "microbench/operand_text.h"
#include "microbench/presets.h"
#include "microbench/replay.h"
#include "microbench/shape_sweep.h"
#include "ops/check_graph.h"

namespace nongemm::cli {
namespace {

using micro::Given;

micro::SchemaSource schema_source(const std::vector<std::string>& libraries) {
  return [libraries](const std::string& name) { return load_flow("torch").operator_schemas(name, libraries); };
}

/// "name=value", or a value alone.
std::pair<std::string, std::string> split_named(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

DType read_dtype(const std::string& text) {
  const std::optional<DType> dtype = parse_dtype(text);
  if (dtype) return *dtype;
  throw Error(ErrorKind::kUsage, "unknown dtype '" + text + "'",
              did_you_mean(text, {"fp32", "fp16", "bf16", "fp64", "int64", "int32", "int8", "uint8", "bool"}));
}

/// One thing that a sweep goes through: for each of its values what it does to the options of a call.
using Axis = std::vector<std::function<void(Given&)>>;

Axis axis_of_shape(const std::string& text) {
  const auto [name, shapes] = split_named(text);
  Axis axis;
  if (!name.empty() && shapes == "none") {
    axis.push_back([name = name](Given& given) { given.named_shapes[name].emplace_back(); });
    return axis;
  }
  for (const Shape& shape : micro::parse_shapes(shapes)) {
    if (name.empty()) {
      axis.push_back([shape](Given& given) { given.shapes.push_back(shape); });
    } else {
      axis.push_back([name = name, shape](Given& given) { given.named_shapes[name].emplace_back(shape); });
    }
  }
  return axis;
}

/// Values without a name are swept through, those with one belong to every point.
template <typename Set, typename SetNamed>
Axis axis_of(const std::vector<std::string>& texts, Given& common, Set&& set, SetNamed&& set_named) {
  Axis axis;
  for (const std::string& text : texts) {
    const auto [name, value] = split_named(text);
    if (name.empty()) {
      axis.push_back([set, value = value](Given& given) { set(given, value); });
      axis.back()(common);  // a value that does not exist is named before anything runs
    } else {
      set_named(common, name, value);
    }
  }
  return axis;
}

std::vector<Axis> axes_of(const OpOptions& options, Given& common) {
  for (const std::string& text : options.arguments) {
    const auto [name, value] = split_named(text);
    if (name.empty()) {
      throw Error(ErrorKind::kUsage, "--arg " + text + " gives nothing a value", "write --arg dim=-1");
    }
    common.arguments[name] = value;
  }
  std::vector<Axis> axes;
  for (const std::string& text : options.shapes) axes.push_back(axis_of_shape(text));
  axes.push_back(axis_of(
      options.sweep.dtypes, common, [](Given& given, const std::string& value) { given.dtype = read_dtype(value); },
      [](Given& given, const std::string& name, const std::string& value) { given.dtypes[name] = read_dtype(value); }));
  axes.push_back(axis_of(
      options.layouts, common, [](Given& given, const std::string& value) { given.layout = value; },
      [](Given& given, const std::string& name, const std::string& value) { given.layouts[name] = value; }));
  axes.push_back(axis_of(
      options.values, common,
      [](Given& given, const std::string& value) { given.content = micro::parse_content(value); },
      [](Given& given, const std::string& name, const std::string& value) {
        given.contents[name] = micro::parse_content(value);
      }));
  std::erase_if(axes, [](const Axis& axis) { return axis.empty(); });
  return axes;
}

/// What a combination that makes no call was.
std::string text_of(const Given& given) {
  std::string text;
  for (const Shape& shape : given.shapes) text += (text.empty() ? "" : " x ") + to_string(shape);
  return text;
}

std::vector<PlannedCall> plan_operator(const OpOptions& options) {
  constexpr std::size_t kMostPoints = 10000;
  const micro::OperatorInfo info = micro::find_operator(options.name, schema_source(options.libraries));
  Given common;
  const std::vector<Axis> axes = axes_of(options, common);
  std::size_t count = 1;
  for (const Axis& axis : axes) {
    count *= axis.size();
    if (count > kMostPoints) {
      throw Error(ErrorKind::kUsage, fmt::format("the sweep has more than {} points", kMostPoints),
                  "sweep less at once");
    }
  }
  std::vector<PlannedCall> calls;
  std::exception_ptr first_error;
  bool any = false;
  for (std::size_t point = 0; point < count; ++point) {
    Given given = common;
    std::size_t rest = point;
    std::size_t block = count;
    for (const Axis& axis : axes) {  // the last one's values change fastest
      block /= axis.size();
      axis[rest / block](given);
      rest %= block;
    }
    PlannedCall planned;
    try {
      planned.spec.call = micro::fill_operands(info, given);
      any = true;
    } catch (const Error&) {
      planned.refused = text_of(given);
      planned.error = std::current_exception();
      planned.spec.call.info = info;
      if (!first_error) first_error = planned.error;
    }
    calls.push_back(std::move(planned));
  }
  if (!any) std::rethrow_exception(first_error);
  return calls;
}

/// Models are built for one set of options; several dtypes, batches and so on are several.
std::vector<PlannedCall> plan_preset(const OpOptions& options, const std::function<void(const std::string&)>& note) {
  SweepOptions sweep = options.sweep;
  sweep.models = {"gpt2"};  // any: only the options are wanted
  sweep.flows = {"torch"};
  sweep.devices = {"cpu"};
  std::vector<PlannedCall> calls;
  for (const PointSpec& point : points_of(sweep)) {
    ModelOptions for_models = point.options;
    for_models.device = options.sweep.devices.front().substr(0, options.sweep.devices.front().find(':'));
    std::vector<std::string> skipped;
    for (micro::ModelCall& call :
         micro::preset_calls(options.preset, for_models, schema_source(options.libraries), skipped)) {
      PlannedCall planned;
      planned.spec.call = std::move(call.call);
      planned.spec.model = call.model;
      calls.push_back(std::move(planned));
    }
    for (const std::string& text : skipped) note("left out " + text);
  }
  if (calls.empty()) {
    throw Error(ErrorKind::kUsage, "preset '" + options.preset + "' has no operator",
                "nongemm list models and docs/measuring.md name models and groups");
  }
  return calls;
}

std::vector<PlannedCall> plan_graph(const std::string& text, const OpOptions& options) {
  const Graph graph = graph_from_json(text, options.from);
  verify(graph);
  std::vector<PlannedCall> calls;
  for (micro::ModelCall& call : micro::calls_of(
           graph, [](Group) { return true; }, schema_source(options.libraries))) {
    PlannedCall planned;
    planned.spec.call = std::move(call.call);
    planned.spec.model = graph.name;
    calls.push_back(std::move(planned));
  }
  return calls;
}

void plan_point(const Point& point, const OpOptions& options, const std::function<void(const std::string&)>& note,
                std::vector<PlannedCall>& calls) {
  const PointSpec spec = read_recorded_command(point.command);
  if (point.tables.empty()) {
    throw Error(ErrorKind::kUnsupported, "it was not measured (" + point.status + ")", "replay a point that was");
  }
  // A report may come from anywhere: what it names is code, and is loaded only when the user says so, too.
  const std::vector<std::string>& libraries = options.libraries;
  for (const std::string& library : spec.libraries) {
    if (std::find(libraries.begin(), libraries.end(), library) != libraries.end()) continue;
    throw Error(ErrorKind::kUsage, "the report's operators come from the library '" + library + "'",
                "if you trust it: --load-library " + library);
  }
  std::size_t left_out = 0;
  for (micro::ReplayCall& call : micro::replay_calls(graph_of_point(spec), point, schema_source(libraries), left_out)) {
    PlannedCall planned;
    planned.spec.call = std::move(call.call);
    planned.spec.model = spec.model;
    planned.spec.in_model = std::move(call.in_model);
    planned.spec.options.run.threads = spec.threads;
    planned.spec.options.run.tf32 = spec.tf32;
    planned.spec.options.run.libraries = libraries;
    if (!options.device_given) planned.devices = {spec.device};
    calls.push_back(std::move(planned));
  }
  if (left_out > 0) {
    note(
        fmt::format("{}: {} nodes are left out, an operand of theirs is known to the run alone", spec.model, left_out));
  }
}

std::vector<PlannedCall> plan_report(const OpOptions& options, const std::function<void(const std::string&)>& note) {
  const Document document = read_document(options.from);
  std::vector<PlannedCall> calls;
  std::exception_ptr first_error;
  for (const Point& point : document.points) {
    try {
      plan_point(point, options, note, calls);
    } catch (const Error& error) {
      if (!first_error) first_error = std::current_exception();
      note(fmt::format("{} ({}): not replayed: {}", point.setting("model"), point.setting("flow"), error.what()));
    }
  }
  if (calls.empty() && first_error) std::rethrow_exception(first_error);
  if (calls.empty()) throw Error(ErrorKind::kBadInput, options.from + " holds no call to replay");
  return calls;
}

std::vector<PlannedCall> plan_from(const OpOptions& options, const std::function<void(const std::string&)>& note) {
  constexpr std::size_t kMostBytes = std::size_t{1} << 30;
  constexpr std::size_t kHead = 200;  // a report says in its first line what it is
  const std::string text = read_file(options.from, kMostBytes);
  const bool report = text.substr(0, kHead).find("\"nongemm-report\"") != std::string::npos;
  return report ? plan_report(options, note) : plan_graph(text, options);
}

}  // namespace

std::vector<PlannedCall> plan_calls(const OpOptions& options, const std::function<void(const std::string&)>& note) {
  const int given = static_cast<int>(!options.name.empty()) + static_cast<int>(!options.preset.empty()) +
                    static_cast<int>(!options.from.empty());
  if (given != 1) {
    throw Error(ErrorKind::kUsage,
                given == 0 ? "no operator is named" : "operator, --preset and --from exclude each other",
                "nongemm op layer_norm --shape 1x2048x4096, nongemm op --preset gpt2 or nongemm op --from report.json");
  }
  if (options.name.empty() && !(options.shapes.empty() && options.arguments.empty() && options.layouts.empty())) {
    throw Error(ErrorKind::kUsage, "--shape, --arg and --layout are for one operator",
                "name it, or leave these to the preset or report");
  }
  if (!options.preset.empty()) return plan_preset(options, note);
  return options.from.empty() ? plan_operator(options) : plan_from(options, note);
}

}  // namespace nongemm::cli
