// SIGINT, SIGTERM and SIGHUP as a state of the process: where in a sweep one arrives is where measuring ends, and what
// was measured is kept.
#pragma once

namespace nongemm {

/// The first signal is told on standard error and remembered. A second one, once the first is half a second old,
/// removes temporary files (process_state.h) and ends the process at once.
void install_interrupt_handler();
/// Asked wherever something long goes on.
bool interrupted();
/// Throws Error(kFailed) that says so: for what is not worth anything half done.
void stop_if_interrupted();
/// The interrupt has been dealt with and the process goes on.
void forget_interrupt();

}  // namespace nongemm
