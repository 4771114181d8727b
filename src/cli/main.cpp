// The program: reads the command line, calls one subcommand, turns errors into messages and exit codes.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/message.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/version.h"
#include "spec/help.h"

namespace nongemm::cli {
namespace {

struct Subcommand {
  Command command;
  RunCommand run;
};

constexpr std::array kCommands = {
    Subcommand{kList, list_command},     Subcommand{kInspect, inspect_command}, Subcommand{kRun, run_command},
    Subcommand{kOp, op_command},         Subcommand{kExport, export_command},   Subcommand{kVerify, verify_command},
    Subcommand{kReport, report_command}, Subcommand{kAnalyze, analyze_command}, Subcommand{kCompare, compare_command},
    Subcommand{kStudy, study_command},
};

const Subcommand& find_command(const std::string& name) {
  std::vector<std::string> known;
  for (const Subcommand& subcommand : kCommands) {
    const std::string_view its_name = info_of(subcommand.command).name;
    if (its_name == name) return subcommand;
    known.emplace_back(its_name);
  }
  if (name.empty()) throw Error(ErrorKind::kUsage, "no command is given", "nongemm run gpt2, for one");
  throw Error(ErrorKind::kUsage, "there is no command '" + name + "'", did_you_mean(name, known));
}

ExitCode run(const Subcommand& subcommand, const std::vector<std::string>& words) {
  const CommandLine line = parse_arguments(option_table(), subcommand.command, words);
  if (!line.help) return subcommand.run(line.selection);
  std::cout << help_text(option_table(), subcommand.command);
  return kSuccess;
}

ExitCode run(const std::vector<std::string>& words) {
  const std::string first = words.empty() ? "" : words.front();
  if (first == "--help" || first == "-h") {
    std::cout << overview_text();
  } else if (first == "--version") {
    std::cout << version_text();
  } else {
    const ExitCode code = run(find_command(first), {words.begin() + (words.empty() ? 0 : 1), words.end()});
    if (code != kSuccess) return code;
  }
  std::cout.flush();
  if (std::cout && std::fflush(stdout) == 0) return kSuccess;
  if (output_has_no_reader()) return kSuccess;  // `| head` has all that it wanted
  throw Error(ErrorKind::kIo, "standard output cannot be written to");
}

/// Where --help lists what there is.
std::string help_of(const std::vector<std::string>& words) {
  for (const CommandInfo& info : command_infos()) {
    if (!words.empty() && info.name == words.front()) return fmt::format("nongemm {} --help", info.name);
  }
  return "nongemm --help";
}

ExitCode explain(const std::exception& error, const std::vector<std::string>& words) {
  say(fmt::format("nongemm: {}\n", error.what()));
  const auto* ours = dynamic_cast<const Error*>(&error);
  if (ours != nullptr && ours->kind() == ErrorKind::kUsage) {
    say(fmt::format("  {} lists what there is\n", help_of(words)));
  }
  return exit_code_of(error);
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
  nongemm::hold_standard_streams();
  nongemm::ignore_write_signals();
  nongemm::install_interrupt_handler();
  nongemm::cli::keep_freed_memory();
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  try {
    return nongemm::cli::run(words);
  } catch (const std::system_error& error) {  // how fmt tells of a standard output that cannot be written to
    return nongemm::output_has_no_reader() ? nongemm::kSuccess : nongemm::cli::explain(error, words);
  } catch (const std::exception& error) {
    return nongemm::cli::explain(error, words);
  }
}
