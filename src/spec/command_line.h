// Words of a command line, held against the option table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spec/option_table.h"

namespace nongemm {

struct CommandLine {
  Selection selection;
  bool help = false;  // --help: nothing else counts
};

/// @param words after the subcommand
/// Throws Error(kUsage) for options that do not exist, with the nearest ones, and for values that are not possible.
CommandLine parse_arguments(const OptionTable& table, Command command, std::vector<std::string> words);

/// The words of a command as a shell takes them apart, quotes taken away; nothing is expanded.
std::vector<std::string> shell_words(const std::string& command);

/// The point of a command that a report of schema version 1 recorded; later ones have the specification itself.
/// Throws Error(kBadInput) for what is no `nongemm run` of one point.
RunSpec parse_recorded_command(const OptionTable& table, const std::string& command);

}  // namespace nongemm
