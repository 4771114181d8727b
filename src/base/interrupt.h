// Ctrl-C as a state of the process: where in a sweep it arrives is where measuring ends, and what was measured is kept.
#pragma once

namespace nongemm {

/// A second interrupt, once the first is half a second old, ends the process at once.
void install_interrupt_handler();
/// Asked wherever something long goes on.
bool interrupted();
/// The interrupt has been dealt with and the process goes on.
void forget_interrupt();

}  // namespace nongemm
