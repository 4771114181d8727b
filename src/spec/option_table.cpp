#include "spec/option_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/text.h"
#include "spec/option_rows.h"

namespace nongemm {
namespace {

void append(std::vector<Option>& rows, std::vector<Option> more) {
  for (Option& option : more) rows.push_back(std::move(option));
}

/// A setting that has its default is as good as absent.
Option row_of(const FlowDescription& flow, const FlowSetting& setting) {
  OptionInfo info{.name = fmt::format("{}.{}", flow.name, setting.name),
                  .value = std::string(setting.value),
                  .doc = std::string(setting.doc),
                  .otherwise = std::string(setting.default_text),
                  .section = OptionSection::kFlow,
                  .commands = kRun | kOp | kVerify,
                  .role = setting.identity ? OptionRole::kIdentity : OptionRole::kHow,
                  .shown = setting.identity ? OptionShown::kWhenGiven : OptionShown::kNever,
                  .of_flow = true,
                  .choices = {setting.choices.begin(), setting.choices.end()}};
  const std::string name = info.name;
  Option option = option_rows::custom(info, {}, [name](const Request& request) -> std::vector<std::string> {
    const auto& settings = request.run.runtime.settings;
    const auto at = settings.find(name);
    return at == settings.end() ? std::vector<std::string>() : std::vector{at->second};
  });
  option.set = [option, usual = std::string(setting.default_text)](Request& request, const std::string& text) {
    if (!option.choices.empty()) option_rows::read_choice(option, text);
    auto& settings = request.run.runtime.settings;
    if (text == usual) {
      settings.erase(option.name);
    } else {
      settings[option.name] = text;
    }
  };
  return option;
}

std::vector<std::string> split(const Option& option, const std::string& text) {
  std::vector<std::string> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = option.commas ? text.find(',', begin) : std::string::npos;
    values.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) break;
    begin = comma + 1;
  }
  for (const std::string& value : values) {
    if (!value.empty()) continue;
    throw Error(ErrorKind::kUsage,
                values.size() == 1 ? fmt::format("{} has an empty value", option.spelled())
                                   : fmt::format("{} {} has an empty value between its commas", option.spelled(), text),
                "give it a value, or leave it out");
  }
  return values;
}

/// How the request has a value, however the user wrote it.
std::vector<std::string> canonical(const Option& option, Command command, const std::string& value) {
  Request request = defaults_of(command);
  option.set(request, value);
  return option.get(request);
}

void check_new(const Option& option, Command command, const std::vector<std::string>& known, const std::string& value) {
  const std::vector<std::string> wanted = canonical(option, command, value);
  for (const std::string& other : known) {
    if (canonical(option, command, other) != wanted) continue;
    throw Error(ErrorKind::kUsage, fmt::format("{} has the value {} twice", option.spelled(), value),
                "each value of a sweep is run once");
  }
}

void check_settings_used(const Selection& selection, const std::vector<Request>& points) {
  for (const GivenOption& given : selection) {
    if (!given.option->of_flow) continue;
    const bool used = std::any_of(points.begin(), points.end(),
                                  [&](const Request& point) { return given.option->applies_to(point.run); });
    if (used) continue;
    const std::string flow = given.option->name.substr(0, given.option->name.find('.'));
    if (flow == "quantize") {
      throw Error(ErrorKind::kUsage, fmt::format("{} has no effect: nothing is quantized", given.option->spelled()),
                  "add --quantize SCHEME, or leave the setting out");
    }
    throw Error(ErrorKind::kUsage,
                fmt::format("{} has no effect: the {} flow is not run", given.option->spelled(), flow),
                "add --flow " + flow + ", or leave the setting out");
  }
}

}  // namespace

Request defaults_of(Command command) {
  Request request;
  if (command == kOp) request.run.policy.most_seconds = 2.0;
  if (command == kInspect) {
    // What is held against PyTorch's streams, which come from a GPU.
    request.run.runtime.device = {DeviceKind::kCuda, 0};
    request.run.options.device = DeviceKind::kCuda;
  }
  return request;
}

std::span<const CommandInfo> command_infos() {
  static constexpr std::array kInfos = {
      CommandInfo{kList, "list", "What is built in: models, operators, flows, devices, figures of reports, options"},
      CommandInfo{kInspect, "inspect", "Operators, shapes, FLOPs and bytes of models; runs nothing"},
      CommandInfo{kRun, "run", "Run models and report where their inference time goes"},
      CommandInfo{kOp, "op", "Measure operators alone: some, a preset's, or those of an earlier run"},
      CommandInfo{kExport, "export", "Write a model as an ONNX file or a program of torch.export, without running it"},
      CommandInfo{kVerify, "verify",
                  "Compare a model's outputs with references (config.json and model.safetensors, or model.pt2, with "
                  "inputs.safetensors and outputs.safetensors)"},
      CommandInfo{kCompare, "compare", "Say what is faster, slower or the same in one run than in another"},
      CommandInfo{kStudy, "study",
                  "The experiments of the NonGEMM Bench paper, and further ones, printed beside the paper's figures"},
      CommandInfo{kReport, "report", "Make any format again from a JSON report"},
      CommandInfo{kAnalyze, "analyze",
                  "The same reports from what other tools recorded: traces of profilers, files of trtexec"},
  };
  return kInfos;
}

const CommandInfo& info_of(Command command) {
  const auto infos = command_infos();
  return *std::find_if(infos.begin(), infos.end(), [&](const CommandInfo& info) { return info.command == command; });
}

bool is_given(const Selection& selection, std::string_view name) {
  return std::any_of(selection.begin(), selection.end(),
                     [&](const GivenOption& given) { return given.option->name == name; });
}

OptionTable::OptionTable(std::span<const FlowDescription* const> flows) {
  std::vector<std::string> names;
  for (const FlowDescription* flow : flows) names.emplace_back(flow->name);
  append(rows_, option_rows::subject_rows());
  append(rows_, option_rows::operator_rows());
  append(rows_, option_rows::run_rows(names));
  append(rows_, option_rows::model_rows());
  append(rows_, option_rows::generate_rows());
  for (const FlowDescription* flow : flows) {
    for (const FlowSetting& setting : flow->settings) rows_.push_back(row_of(*flow, setting));
  }
  append(rows_, option_rows::sweep_rows());
  append(rows_, option_rows::compare_rows());
  append(rows_, option_rows::study_rows(names));
  append(rows_, option_rows::output_rows());
}

std::vector<const Option*> OptionTable::options(Command command) const {
  std::vector<const Option*> options;
  for (const Option& option : rows_) {
    if (option.is_for(command)) options.push_back(&option);
  }
  return options;
}

const Option* OptionTable::find(Command command, const std::string& name) const {
  for (const Option& option : rows_) {
    if (option.is_for(command) && option.name == name) return &option;
  }
  return nullptr;
}

const Option& OptionTable::option(Command command, const std::string& name) const {
  if (const Option* found = find(command, name)) return *found;
  std::vector<std::string> known;
  for (const Option* option : options(command)) known.push_back(option->name);
  throw Error(ErrorKind::kUsage, fmt::format("nongemm {} has no option '{}'", info_of(command).name, name),
              did_you_mean(name, known));
}

void OptionTable::give(Command command, const Option& option, const std::string& text, Selection& selection) const {
  auto at = std::find_if(selection.begin(), selection.end(),
                         [&](const GivenOption& given) { return given.option == &option; });
  if (at == selection.end()) at = selection.insert(selection.end(), GivenOption{&option, {}});
  for (std::string& value : split(option, text)) {
    if (!at->values.empty() && !option.takes_several()) {
      throw Error(ErrorKind::kUsage, option.spelled() + " is given twice", "it takes one value");
    }
    if (option.swept) check_new(option, command, at->values, value);
    Request scratch = defaults_of(command);
    option.set(scratch, value);
    at->values.push_back(std::move(value));
  }
}

void OptionTable::give_setting(Command command, const std::string& text, Selection& selection) const {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const Option* option = find(command, name);
  if (option == nullptr || !option->of_flow) {
    std::vector<std::string> known;
    for (const Option* other : options(command)) {
      if (other->of_flow) known.push_back(other->name);
    }
    throw Error(ErrorKind::kUsage, fmt::format("--set {}: there is no setting '{}'", text, name),
                fmt::format("there are {}", fmt::join(known, ", ")));
  }
  if (equals == std::string::npos) {
    throw Error(ErrorKind::kUsage, "--set " + text + " gives no value", "write " + name + "=VALUE");
  }
  give(command, *option, text.substr(equals + 1), selection);
}

std::vector<Request> OptionTable::points(Command command, const Selection& selection, const Request& base) const {
  constexpr std::size_t kMostPoints = 100'000;
  std::vector<Request> points{base};
  for (const Option* option : options(command)) {
    const auto given =
        std::find_if(selection.begin(), selection.end(), [&](const GivenOption& row) { return row.option == option; });
    if (given == selection.end()) continue;
    std::vector<Request> next;
    if (points.size() * (option->swept ? given->values.size() : 1) > kMostPoints) {
      throw Error(ErrorKind::kUsage, "the sweep has more than 100,000 points", "sweep less at once");
    }
    for (const Request& point : points) {
      if (!option->swept) next.push_back(point);
      for (const std::string& value : given->values) {
        if (option->swept) next.push_back(point);
        option->set(next.back(), value);
      }
    }
    points = std::move(next);
  }
  check_settings_used(selection, points);
  return points;
}

}  // namespace nongemm
