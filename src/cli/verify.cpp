// nongemm verify FOLDER...
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/error.h"
#include "cli/command.h"
#include "cli/options.h"
#include "flows/load.h"
#include "verify/compare_outputs.h"

namespace nongemm::cli {
namespace {

struct VerifyOptions {
  std::vector<std::string> folders;
  std::string flow = "torch";
  std::string device = "cpu";
  std::string attention;
  std::vector<std::string> libraries;
  std::string against;
  std::string dtype = "fp32";
  std::vector<std::string> settings;
  std::optional<double> tolerance;
};

/// Of outputs held against references.
constexpr double kTolerance = 1e-4;

/// Of flows compared with each other: fp16 keeps three digits, and a deep model loses some of them.
double allowed_rms(DType dtype) { return dtype == DType::kFloat32 ? 1e-3 : 2e-2; }

std::vector<OutputDifference> differences(const std::string& model, const VerifyOptions& options, const RunOptions& run,
                                          const ModelOptions& model_options) {
  Flow& flow = load_flow(options.flow);
  if (options.against.empty()) return verify_folder(model, flow, run, model_options);
  return compare_flows(find_model(model), model_options, flow, load_flow(options.against), run);
}

bool is_within(const OutputDifference& row, const VerifyOptions& options, const ModelOptions& model) {
  if (!row.mismatch.empty()) return false;
  if (!options.against.empty() && !options.tolerance) return row.rms_relative <= allowed_rms(model.dtype);
  return row.largest_absolute <= allowed_difference(row, options.tolerance.value_or(kTolerance));
}

int verify(const VerifyOptions& options) {
  ModelOptions model;
  if (options.attention == "sdpa") model.attention = Attention::kSdpa;
  if (options.attention == "eager") model.attention = Attention::kEager;
  model.dtype = parse_dtype(options.dtype).value_or(DType::kFloat32);
  RunOptions run;
  run.device = options.device;
  run.libraries = options.libraries;
  run.settings = read_settings(options.settings);
  bool all_within = true;
  for (const std::string& folder : options.folders) {
    try {
      for (const OutputDifference& row : differences(folder, options, run, model)) {
        const bool within = is_within(row, options, model);
        all_within = all_within && within;
        if (row.mismatch.empty()) {
          fmt::print("{}  {}  {} {}  max |difference| {:.3g}, relative {:.3g}, rms {:.3g}\n", within ? "ok  " : "FAIL",
                     folder, row.name, to_string(row.shape), row.largest_absolute, row.largest_relative,
                     row.rms_relative);
        } else {
          fmt::print("FAIL  {}  {}  {}\n", folder, row.name, row.mismatch);
        }
      }
    } catch (const Error& error) {
      if (options.folders.size() == 1) throw;
      all_within = false;
      fmt::print("FAIL  {}  {}\n", folder, error.what());
    }
  }
  return all_within ? kSuccess : kFailure;
}

}  // namespace

void add_verify_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command = app.add_subcommand(
      "verify",
      "Compare a model's outputs with references (config.json and model.safetensors, or model.pt2, with "
      "inputs.safetensors and outputs.safetensors)");
  command
      ->add_option("FOLDER", options->folders,
                   "folders to check, or .pt2 and .onnx files with their references beside them")
      ->required();
  command->add_option("--flow", options->flow, "deployment flow")->capture_default_str();
  command->add_option("--device", options->device, "cpu, cuda or cuda:N")->capture_default_str();
  command
      ->add_option("--load-library", options->libraries,
                   "a library with operators of your own, for PyTorch or ONNX Runtime (may be repeated)")
      ->expected(1);
  command->add_option("--attention", options->attention, "sdpa or eager (default: as config.json says)")
      ->check(CLI::IsMember({"sdpa", "eager"}));
  command->add_option("--against", options->against,
                      "instead of with references: compare models (FOLDER: registry names too) with another flow");
  command->add_option("--dtype", options->dtype, "fp32, fp16 or bf16, with --against")
      ->check(CLI::IsMember({"fp32", "fp16", "bf16"}))
      ->needs("--against")
      ->capture_default_str();
  add_settings_option(*command, options->settings);
  command
      ->add_option("--tolerance", options->tolerance,
                   "largest difference allowed, relative to the output's largest magnitude where that is above 1 "
                   "(default: 1e-4, "
                   "boxes in pixels at most a hundred times that; with "
                   "--against a bound on the relative rms: 1e-3, in half types 2e-2)")
      ->check(number_from(0, 1e30));
  command->callback([options, &exit_code] { exit_code = verify(*options); });
}

}  // namespace nongemm::cli
