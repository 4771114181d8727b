// nongemm op NAME, --preset or --from: operators alone, one by one.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/op_specs.h"
#include "cli/options.h"
#include "microbench/op_command.h"

namespace nongemm::cli {
namespace {

struct OpOptionsOfUser {
  OpOptions op;
  OutputOptions output;
  int threads = 0;
  int iterations = 0;
  int warmup = -1;
  double most_seconds = 2.0;
  std::vector<std::string> settings;
  bool tf32 = false;
  bool no_limits = false;
  bool fresh_limits = false;
  bool list = false;
};

void say(const std::string& what) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\033[K{}", what);
}

/// The options that the whole command line has, as a row repeats them.
std::string command_of(const micro::OpSpec& spec, const OpOptionsOfUser& options) {
  const RunOptions& run = spec.options.run;
  std::string command = "nongemm op " + micro::command_of(spec.call);
  const auto add = [&](bool given, const std::string& text) {
    if (given) command += " " + text;
  };
  add(spec.flow != "torch", "--flow " + spec.flow);
  add(run.device != "cpu", "--device " + run.device);
  add(spec.options.cold, "--cache cold");
  add(run.threads > 0, fmt::format("--threads {}", run.threads));
  add(run.tf32, "--tf32");
  for (const auto& [name, value] : run.settings) {
    add(name.starts_with(spec.flow + "."), "--set " + shell_word(name + "=" + value));
  }
  add(!spec.limits, "--no-limits");
  add(spec.options.policy.iterations.has_value(),
      fmt::format("--iterations {}", spec.options.policy.iterations.value_or(0)));
  add(spec.options.policy.warmup.has_value(), fmt::format("--warmup {}", spec.options.policy.warmup.value_or(0)));
  add(run.seed != 0, fmt::format("--seed {}", run.seed));
  add(options.most_seconds != OpOptionsOfUser().most_seconds, fmt::format("--max-seconds {}", options.most_seconds));
  for (const std::string& library : run.libraries) add(true, "--load-library " + shell_word(library));
  return command;
}

void complete(const OpOptionsOfUser& options, micro::OpSpec& spec) {
  RunOptions& run = spec.options.run;
  if (options.threads > 0) run.threads = options.threads;
  run.tf32 = run.tf32 || options.tf32;
  run.seed = options.op.sweep.seed;
  run.settings = read_settings(options.settings);
  if (run.libraries.empty()) run.libraries = options.op.libraries;
  if (options.iterations > 0) spec.options.policy.iterations = options.iterations;
  if (options.warmup >= 0) spec.options.policy.warmup = options.warmup;
  spec.options.policy.most_seconds = options.most_seconds;
  spec.limits = !options.no_limits;
  spec.fresh_limits = options.fresh_limits;
  // An operator alone is in no module.
  spec.analysis.by_module = false;
}

/// Flows side by side, innermost.
std::vector<PlannedCall> multiplied(const std::vector<PlannedCall>& calls, const OpOptionsOfUser& options) {
  std::vector<PlannedCall> all;
  for (const PlannedCall& call : calls) {
    for (const std::string& device : call.devices.empty() ? options.op.sweep.devices : call.devices) {
      for (const std::string& cache : options.op.caches) {
        for (const std::string& flow : options.op.sweep.flows) {
          all.push_back(call);
          micro::OpSpec& spec = all.back().spec;
          spec.flow = flow;
          spec.options.run.device = device;
          spec.options.cold = cache == "cold";
          complete(options, spec);
          if (call.refused.empty()) spec.command = command_of(spec, options);
        }
      }
    }
  }
  return all;
}

Point refused(const PlannedCall& call) {
  try {
    std::rethrow_exception(call.error);
  } catch (const std::exception& error) {
    auto settings = micro::settings_of(call.spec);
    for (auto& [name, value] : settings) {
      if (name == "shapes") value = call.refused;
    }
    return micro::refused_point(std::move(settings), call.spec.command, error);
  }
}

int run(const OpOptionsOfUser& options) {
  check_output(options.output);
  points_of(options.op.sweep);  // names flows and devices that do not exist
  const auto note = [](const std::string& text) { fmt::print(stderr, "nongemm: {}\n", text); };
  const std::vector<PlannedCall> calls = multiplied(plan_calls(options.op, note), options);
  if (options.list) {
    for (const PlannedCall& call : calls) {
      if (call.refused.empty()) fmt::print("{}\n", call.spec.command);
    }
    return kSuccess;
  }
  Document document;
  document.context = make_context();
  Checkpoints checkpoints(options.output.folder);
  for (std::size_t i = 0; i < calls.size() && !interrupted(); ++i) {
    const micro::OpSpec& spec = calls[i].spec;
    const std::string position = calls.size() > 1 ? fmt::format("[{}/{}] ", i + 1, calls.size()) : "";
    const auto progress = [&](const std::string& what) { say(position + spec.call.info.name + ": " + what); };
    document.points.push_back(calls[i].refused.empty() ? micro::op_point(spec, progress) : refused(calls[i]));
    checkpoints.add(document);
  }
  say("");
  write_output(document, options.output, "table");
  return exit_code_of(document);
}

}  // namespace

void add_op_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<OpOptionsOfUser>();
  OpOptions& op = options->op;
  CLI::App* command = app.add_subcommand("op", "Measure operators alone: one, a preset's, or those of an earlier run");
  command->add_option("NAME", op.name, "operator: layer_norm, aten::add.Tensor, ... (nongemm list ops)");
  command->add_option("--preset", op.preset,
                      "the non-GEMM operators of all models (all), of one model, or all operators of a group");
  command->add_option("--from", op.from,
                      "a report.json, or a graph (nongemm inspect --graph): its operators one by one");
  command
      ->add_option("--shape", op.shapes, "operand shapes, sweeps too: 1x{128..8192*2}x4096, weight=4096 (repeatable)")
      ->allow_extra_args(false);
  command->add_option("--arg", op.arguments, "another argument of the operator: dim=-1 (repeatable)")
      ->allow_extra_args(false);
  command->add_option("--layout", op.layouts, "contiguous, channels-last, transposed or strides; weight=transposed")
      ->delimiter(',');
  command->add_option("--values", op.values, "normal, uniform, zeros or ones; other=ones")->delimiter(',');
  command->add_option("--cache", op.caches, "hot, cold: caches written over before each call")
      ->delimiter(',')
      ->check(CLI::IsMember({"hot", "cold"}))
      ->capture_default_str();
  command->add_option("--flow", op.sweep.flows, "deployment flows (nongemm list flows)")
      ->delimiter(',')
      ->capture_default_str();
  CLI::Option* device =
      command->add_option("--device", op.sweep.devices, "cpu, cuda or cuda:N")->delimiter(',')->capture_default_str();
  add_model_options(*command, op.sweep);
  command->get_option("--dtype")->description("fp32, fp16, bf16, ... (default: fp32); mask=bool for one operand");
  for (const char* name : {"--batch", "--seq-len", "--image-size", "--detections", "--attention"}) {
    CLI::Option* option = command->get_option(name);
    option->description("for presets: " + option->get_description());
  }
  command->remove_option(command->get_option("--input"));
  command->add_option("--load-library", op.libraries, "a library with torch operators of your own (may be repeated)")
      ->expected(1);
  command->add_option("--threads", options->threads, "threads inside an operator (default: the runtime's)")
      ->check(CLI::Range(1, 4096));
  command
      ->add_option("--iterations", options->iterations, "exactly so many samples, instead of until the median is known")
      ->check(CLI::Range(1, 1000000));
  command->add_option("--warmup", options->warmup, "exactly so many, instead of until times have settled")
      ->check(CLI::Range(0, 1000000));
  command->add_option("--max-seconds", options->most_seconds, "limit of one call's samples")
      ->check(number_from(0.01, 86400.0))
      ->capture_default_str();
  add_settings_option(*command, options->settings);
  command->add_flag("--tf32", options->tf32, "TF32 for fp32 matrix multiplications on CUDA");
  command->add_flag("--no-limits", options->no_limits, "do not measure the device's limits");
  command->add_flag("--remeasure-limits", options->fresh_limits, "measure the device's limits again");
  command->add_flag("--list", options->list, "print the commands of all points, and run nothing");
  add_output_options(*command, options->output);
  command->callback([options, device, &exit_code] {
    options->op.device_given = device->count() > 0;
    exit_code = run(*options);
  });
}

}  // namespace nongemm::cli
