// nongemm verify FOLDER...
#include "profile/verify.h"

#include <fmt/format.h>

#include <memory>

#include "base/error.h"
#include "cli/command.h"
#include "flows/load.h"

namespace nongemm::cli {
namespace {

struct VerifyOptions {
  std::vector<std::string> folders;
  std::string flow = "torch";
  std::string device = "cpu";
  std::string attention;
  std::vector<std::string> libraries;
  double tolerance = 1e-4;
};

int verify(const VerifyOptions& options) {
  ModelOptions model;
  if (options.attention == "sdpa") model.attention = Attention::kSdpa;
  if (options.attention == "eager") model.attention = Attention::kEager;
  RunOptions run;
  run.device = options.device;
  run.libraries = options.libraries;
  bool all_within = true;
  for (const std::string& folder : options.folders) {
    try {
      for (const OutputDifference& row : verify_folder(folder, load_flow(options.flow), run, model)) {
        const bool within =
            row.mismatch.empty() && row.largest_absolute <= allowed_difference(row.name, options.tolerance);
        all_within = all_within && within;
        if (row.mismatch.empty()) {
          fmt::print("{}  {}  {} {}  max |difference| {:.3g}, relative {:.3g}\n", within ? "ok  " : "FAIL", folder,
                     row.name, to_string(row.shape), row.largest_absolute, row.largest_relative);
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
  command->add_option("FOLDER", options->folders, "folders to check, or .pt2 files with their references beside them")
      ->required();
  command->add_option("--flow", options->flow, "deployment flow")->capture_default_str();
  command->add_option("--device", options->device, "cpu, cuda or cuda:N")->capture_default_str();
  command
      ->add_option("--load-library", options->libraries, "a library with torch operators of your own (may be repeated)")
      ->expected(1);
  command->add_option("--attention", options->attention, "sdpa or eager (default: as config.json says)")
      ->check(CLI::IsMember({"sdpa", "eager"}));
  command->add_option("--tolerance", options->tolerance, "largest absolute difference allowed")->capture_default_str();
  command->callback([options, &exit_code] { exit_code = verify(*options); });
}

}  // namespace nongemm::cli
