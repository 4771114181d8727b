// Subcommands: one file pair and one line in kCommands (main.cpp) each.
#pragma once

#include <CLI/CLI.hpp>

namespace nongemm::cli {

/// Exit codes, the same for all subcommands (docs/cli.md).
enum ExitCode : int {
  kSuccess = 0,
  kFailure = 1,        // something that was asked for could not be done; the report says what
  kUsageError = 2,     // the command line or an input is wrong; nothing was run
  kInterrupted = 130,  // Ctrl-C; what was measured is written and marked incomplete
};

/// Adds a subcommand; its callback stores the exit code.
using AddCommand = void (*)(CLI::App& app, int& exit_code);

void add_list_command(CLI::App& app, int& exit_code);
void add_inspect_command(CLI::App& app, int& exit_code);
void add_run_command(CLI::App& app, int& exit_code);
void add_op_command(CLI::App& app, int& exit_code);
void add_export_command(CLI::App& app, int& exit_code);
void add_verify_command(CLI::App& app, int& exit_code);
void add_report_command(CLI::App& app, int& exit_code);
void add_analyze_command(CLI::App& app, int& exit_code);

}  // namespace nongemm::cli
