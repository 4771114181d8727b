// nongemm analyze: the same reports from what other tools wrote.
#include <memory>
#include <optional>

#include "base/error.h"
#include "cli/command.h"
#include "cli/options.h"
#include "study/engine_report.h"

namespace nongemm::cli {
namespace {

struct AnalyzeOptions {
  SweepOptions sweep;
  EngineFiles files;
  std::string model;
  OutputOptions output;
};

void analyze(AnalyzeOptions& options) {
  check_output(options.output);
  if (options.model.ends_with(".onnx")) {
    options.files.onnx = options.model;
  } else if (!options.model.empty()) {
    options.sweep.models = {options.model};
  }
  std::optional<PointSpec> spec;
  const std::vector<PointSpec> points = points_of(options.sweep);
  if (points.size() > 1) throw Error(ErrorKind::kUsage, "an engine is of one model", "give one value for each option");
  if (!points.empty()) spec = points.front();
  Document document;
  document.context = make_context();
  document.points.push_back(engine_point(options.files, spec, analysis_of(options.sweep)));
  write_output(document, options.output, "table");
}

}  // namespace

void add_analyze_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<AnalyzeOptions>();
  CLI::App* command = app.add_subcommand("analyze", "Report on an engine from the files that trtexec wrote elsewhere");
  add_graph_options(*command, options->sweep);
  command->remove_option(command->get_option("MODEL"));
  command->add_option("--tensorrt", options->files.profile, "layer times: trtexec --exportProfile=FILE")->required();
  command
      ->add_option("--layers", options->files.layers,
                   "layers: trtexec --exportLayerInfo=FILE --profilingVerbosity=detailed")
      ->required();
  command->add_option("--times", options->files.times, "inference times: trtexec --exportTimes=FILE");
  command->add_option("--model", options->model,
                      "what the engine was built from: an .onnx file, or a model that `nongemm export` wrote");
  add_output_options(*command, options->output);
  command->callback([options, &exit_code] {
    analyze(*options);
    exit_code = kSuccess;
  });
}

}  // namespace nongemm::cli
