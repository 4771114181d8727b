// The program: reads the command line, calls one subcommand, turns errors into messages and exit codes.
#include <fmt/format.h>
#include <malloc.h>

#include <array>
#include <cstdio>
#include <iostream>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "cli/command.h"

#ifndef NONGEMM_VERSION
#define NONGEMM_VERSION "unknown"
#endif

namespace nongemm::cli {
namespace {

constexpr std::array<AddCommand, 8> kCommands = {
    add_list_command,   add_inspect_command, add_run_command,    add_op_command,
    add_export_command, add_verify_command,  add_report_command, add_analyze_command,
};

/// Names of the options and subcommands that would have been understood where parsing stopped.
std::vector<std::string> known_words(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  std::vector<std::string> words;
  for (const CLI::Option* option : at->get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  for (const CLI::App* subcommand : at->get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(subcommand->get_name());
  }
  return words;
}

int usage_error(const CLI::App& app, const CLI::ParseError& error) {
  std::string message = error.what();
  if (const std::vector<std::string> extra = app.remaining(true); !extra.empty()) {
    message =
        fmt::format("'{}' is not understood here\n  {}", extra.front(), did_you_mean(extra.front(), known_words(app)));
  }
  const std::string command = app.get_subcommands().empty() ? "" : " " + app.get_subcommands().front()->get_name();
  fmt::print(stderr, "nongemm: {}\n  nongemm{} --help lists what there is\n", message, command);
  return kUsageError;
}

int run(int argc, char** argv) {
  CLI::App app("Where inference time goes besides matrix multiplication, per operator, deployment flow and device.",
               "nongemm");
  app.set_version_flag("--version", NONGEMM_VERSION);
  app.require_subcommand(1);
  int exit_code = kSuccess;
  for (const AddCommand add : kCommands) add(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {  // --help, --version
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
  std::cout.flush();
  if (!std::cout || std::fflush(stdout) != 0) throw Error(ErrorKind::kIo, "standard output cannot be written to");
  return exit_code;
}

/// Lets freed memory stay with the process. glibc would give the memory of results back to the kernel within an
/// inference and ask for it again, and clearing those pages would count as time of the operators that write them.
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kLargestOnHeap = 32 << 20;  // the most that glibc takes
  constexpr int kKept = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kLargestOnHeap);
  mallopt(M_TRIM_THRESHOLD, kKept);
#endif
}

}  // namespace
}  // namespace nongemm::cli

int main(int argc, char** argv) {
  nongemm::install_interrupt_handler();
  nongemm::cli::keep_freed_memory();
  try {
    return nongemm::cli::run(argc, argv);
  } catch (const nongemm::Error& error) {
    fmt::print(stderr, "nongemm: {}\n", error.what());
    const bool wrong_input =
        error.kind() == nongemm::ErrorKind::kUsage || error.kind() == nongemm::ErrorKind::kBadInput;
    return wrong_input ? nongemm::cli::kUsageError : nongemm::cli::kFailure;
  } catch (const std::exception& error) {
    fmt::print(stderr, "nongemm: {}\n", error.what());
    return nongemm::cli::kFailure;
  }
}
