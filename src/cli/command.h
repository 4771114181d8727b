// Subcommands: one file and one line in kCommands (main.cpp) each. Their options are rows of the option table
// (spec/rows_*.cpp).
#pragma once

#include "flows/options.h"
#include "spec/command_line.h"
#include "study/exit_code.h"

namespace nongemm::cli {

/// Does what the selection asks for. Throws Error; main makes the message.
using RunCommand = ExitCode (*)(const Selection& selection);

ExitCode list_command(const Selection& selection);
ExitCode inspect_command(const Selection& selection);
ExitCode run_command(const Selection& selection);
ExitCode op_command(const Selection& selection);
ExitCode export_command(const Selection& selection);
ExitCode verify_command(const Selection& selection);
ExitCode report_command(const Selection& selection);
ExitCode analyze_command(const Selection& selection);
ExitCode compare_command(const Selection& selection);
ExitCode study_command(const Selection& selection);

/// The one point that a selection makes. Throws Error(kUsage) with `why` for several.
Request single_point(Command command, const Selection& selection, const char* why);

/// On the terminal's last line, where there is one.
void say_on_terminal(const std::string& what);

}  // namespace nongemm::cli
