#include "cli/recorded_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "cli/options.h"
#include "prepare/given_inputs.h"
#include "verify/compare_outputs.h"

namespace nongemm::cli {
namespace {

/// The words of a command line whose words were made fit for a shell (shell_word).
std::vector<std::string> split_shell_words(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool inside = false;  // a word, which may be empty when it is quoted
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (!quoted && c == ' ') {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (c == '\'') {
      quoted = !quoted;
    } else if (c == '\\' && !quoted && i + 1 < line.size()) {
      words.back() += line[++i];
    } else {
      words.back() += c;
    }
  }
  return words;
}

}  // namespace

PointSpec read_recorded_command(const std::string& command) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::kBadInput, "the report's command '" + command + "' cannot be read again: " + why,
                "replay takes reports of nongemm run");
  };
  std::vector<std::string> words = split_shell_words(command);
  if (words.size() < 3 || words[0] != "nongemm" || words[1] != "run") refuse("it is not one of nongemm run");
  words.erase(words.begin(), words.begin() + 2);

  CLI::App app;
  SweepOptions sweep;
  PointSpec also;
  add_graph_options(app, sweep);
  app.add_option("--flow", sweep.flows);
  app.add_option("--device", sweep.devices);
  app.add_option("--threads", also.threads);
  app.add_flag("--tf32", also.tf32);
  app.add_option("--data", also.data);
  app.add_option("--inputs", also.inputs);
  app.add_option("--weights", also.weights.path);
  app.add_option("--load-library", also.libraries)->expected(1);
  // What does not change the graph; values have to be known as such, flags do not.
  std::vector<std::string> ignored;
  for (const char* name : {"--iterations", "--warmup", "--max-seconds", "--ort-level", "--set"}) {
    app.add_option(name, ignored)->expected(1)->allow_extra_args(false);
  }
  app.allow_extras();
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    refuse(error.what());
  }
  std::vector<PointSpec> points = points_of(sweep);
  if (points.size() != 1) refuse("it is of several points");
  PointSpec spec = std::move(points.front());
  spec.threads = also.threads;
  spec.tf32 = also.tf32;
  spec.data = also.data;
  spec.inputs = also.inputs;
  spec.weights.path = also.weights.path;
  spec.libraries = also.libraries;
  return spec;
}

Graph graph_of_point(const PointSpec& spec) {
  const Model model = find_model(spec.model);
  ModelOptions options = spec.options;
  options.device = spec.device.substr(0, spec.device.find(':'));
  if (!spec.data.empty()) {
    options = options_for(read_data(model, spec.data, spec.weights.path, options).tensors, options);
  } else if (!spec.inputs.empty()) {
    const DataBatch inputs = read_inputs(model, spec.inputs, options);
    options = model.file ? options_for_file(model, inputs.tensors, options) : options_for(inputs.tensors, options);
  }
  return build_graph(model, options);
}

}  // namespace nongemm::cli
