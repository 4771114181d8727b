// What --help prints, made from the option table.
#pragma once

#include <string>

#include "spec/option_table.h"

namespace nongemm {

/// Of one subcommand, options by section.
std::string help_text(const OptionTable& table, Command command);

/// Of the program: its subcommands.
std::string overview_text();

/// All of it in Markdown: docs/cli.md.
std::string cli_markdown(const OptionTable& table);

}  // namespace nongemm
