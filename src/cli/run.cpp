// nongemm run MODEL...
#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/command.h"
#include "cli/options.h"
#include "study/point.h"

namespace nongemm::cli {
namespace {

struct RunOptionsOfUser {
  SweepOptions sweep;
  OutputOptions output;
  std::string weights;
  std::string data;
  std::string inputs;
  std::vector<std::string> libraries;
  int threads = 0;
  int iterations = 0;
  int warmup = -1;
  double most_seconds = 10.0;
  std::vector<std::string> settings;
  bool tf32 = false;
  bool replay = false;
  bool check = false;
  std::string ort_level = "all";
  bool no_limits = false;
  bool fresh_limits = false;
};

void say(const std::string& what) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K{}", what);
}

/// Prepared inputs have one batch and one length: a sweep over others would run them again and again.
void check_inputs(const RunOptionsOfUser& options) {
  if (options.inputs.empty()) return;
  const char* swept = options.sweep.batches.size() > 1     ? "--batch"
                      : options.sweep.sequences.size() > 1 ? "--seq-len"
                                                           : nullptr;
  if (swept == nullptr) return;
  throw Error(ErrorKind::kUsage, fmt::format("{} has several values, but --inputs decides it", swept),
              "one run for each file of inputs");
}

int run(const RunOptionsOfUser& options) {
  check_output(options.output);
  check_inputs(options);
  const std::map<std::string, std::string> settings = read_settings(options.settings);
  std::vector<PointSpec> specs = points_of(options.sweep);
  Document document;
  document.context = make_context();
  Checkpoints checkpoints(options.output.folder);
  Baseline baseline;
  for (std::size_t i = 0; i < specs.size() && !interrupted(); ++i) {
    PointSpec& spec = specs[i];
    spec.weights.path = options.weights;
    spec.data = options.data;
    spec.inputs = options.inputs;
    spec.libraries = options.libraries;
    spec.threads = options.threads;
    spec.tf32 = options.tf32;
    spec.settings = settings;
    spec.replay = options.replay;
    spec.check = options.check;
    if (spec.flow == "ort" && options.ort_level != "all") spec.settings["ort.level"] = options.ort_level;
    spec.limits = !options.no_limits;
    spec.fresh_limits = options.fresh_limits;
    if (options.iterations > 0) spec.policy.iterations = options.iterations;
    if (options.warmup >= 0) spec.policy.warmup = options.warmup;
    spec.policy.most_seconds = options.most_seconds;
    const std::string position = specs.size() > 1 ? fmt::format("[{}/{}] ", i + 1, specs.size()) : "";
    document.points.push_back(run_point(
        spec, [&](const std::string& what) { say(position + spec.model + ": " + what); }, baseline));
    checkpoints.add(document);
  }
  say("");
  write_output(document, options.output, "table");
  return exit_code_of(document);
}

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<RunOptionsOfUser>();
  CLI::App* command = app.add_subcommand("run", "Run models and report where their inference time goes");
  add_graph_options(*command, options->sweep);
  command->add_option("--flow", options->sweep.flows, "deployment flows (nongemm list flows)")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--device", options->sweep.devices, "cpu, cuda or cuda:N")->delimiter(',')->capture_default_str();
  command->add_option("--weights", options->weights, "checkpoint: file or folder (default: synthetic weights)");
  command->add_option("--data", options->data,
                      "your own inputs: a folder of images (ImageNet, COCO) or text (default: synthetic)");
  command->add_option("--inputs", options->inputs, "prepared inputs by name: a .safetensors file")->excludes("--data");
  command
      ->add_option("--load-library", options->libraries,
                   "a library with operators of your own, for PyTorch or ONNX Runtime (may be repeated)")
      ->expected(1);
  command->add_option("--threads", options->threads, "threads inside an operator (default: the runtime's)")
      ->check(CLI::Range(1, 4096));
  command->add_option("--iterations", options->iterations, "exactly so many, instead of until the median is known")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--warmup", options->warmup, "exactly so many, instead of until times have settled")
      ->check(CLI::Range(0, 1000000));
  command->add_option("--max-seconds", options->most_seconds, "limit of the latency pass")
      ->check(number_from(0.01, 86400.0))
      ->capture_default_str();
  add_settings_option(*command, options->settings);
  command->add_flag("--tf32", options->tf32, "TF32 for fp32 matrix multiplications on CUDA");
  command->add_flag("--cuda-graph", options->replay, "also replay the model as a CUDA graph (static shapes)");
  command->add_flag("--check", options->check, "compare each flow's outputs with those of the torch flow");
  command->add_option("--ort-level", options->ort_level, "how far ONNX Runtime optimises: none, basic, extended or all")
      ->check(CLI::IsMember({"none", "basic", "extended", "all"}))
      ->capture_default_str();
  command->add_flag("--no-limits", options->no_limits,
                    "do not measure the device's limits (the what-if table needs them)");
  command->add_flag("--remeasure-limits", options->fresh_limits,
                    "measure the device's limits again; a host's are kept from its first run on");
  add_output_options(*command, options->output);
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace nongemm::cli
