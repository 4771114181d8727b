// Exit codes, one scheme for all subcommands (docs/cli.md).
#pragma once

#include <exception>

#include "report/document.h"

namespace nongemm {

enum ExitCode : int {
  kSuccess = 0,
  kFailure = 1,       // something that was asked for failed; the report or the message says what
  kWrongUsage = 2,    // the command line or a plan asks for something that does not exist: nothing was run
  kWrongInput = 3,    // a model, a checkpoint, a report or another file is damaged or does not fit
  kNotSupported = 4,  // the flow, the device or the runtime at hand cannot do it
  kInterrupted = 130  // by a signal; what was measured is written and marked incomplete
};

/// Success when every point is ok or unsupported and at least one is ok. Otherwise what all points have in common, or
/// failure.
ExitCode exit_code_of(const Document& document);
/// Of what ended a subcommand.
ExitCode exit_code_of(const std::exception& error);

/// The same as exit_code_of. Where it is not success, the rows that are not ok stand on standard error, too.
ExitCode conclude(const Document& document);

}  // namespace nongemm
