// Messages beside the results: on standard error, where there is one.
#pragma once

#include <string_view>

namespace nongemm {

/// Adds nothing to the text. A standard error that is full or closed loses the text and nothing else.
void say(std::string_view text);

/// Gives standard input, output and error that were closed a place again. Without one, the next file that is opened
/// gets their number, and what a library tells standard error goes into that file. Writing to a standard output that
/// was closed still fails.
void hold_standard_streams();

/// Of a signal for every write that nobody reads or that exceeds a limit: they fail instead, and are told.
void ignore_write_signals();

/// Whether whoever read standard output has gone.
bool output_has_no_reader();

}  // namespace nongemm
