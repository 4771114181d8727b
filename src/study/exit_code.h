// Exit codes, one scheme for all subcommands (docs/cli.md).
#pragma once

#include <exception>

#include "report/document.h"

namespace nongemm {

enum ExitCode : int {
  kSuccess = 0,
  kFailure = 1,        // something that was asked for could not be done; the report or the message says what
  kWrongInput = 2,     // the command line or an input is wrong: nothing was run
  kInterrupted = 130,  // Ctrl-C; what was measured is written and marked incomplete
};

/// Success when every point is ok or unsupported and at least one is ok.
ExitCode exit_code_of(const Document& document);
/// Of what ended a subcommand.
ExitCode exit_code_of(const std::exception& error);

}  // namespace nongemm
