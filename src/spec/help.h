// What --help prints, made from the option table.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "spec/option_table.h"

namespace nongemm {

/// Of one subcommand, options by section.
std::string help_text(const OptionTable& table, Command command);

/// Options of one section, as help has them: usage and documentation with the default.
struct HelpSection {
  std::string title;
  std::vector<std::pair<std::string, std::string>> options;
};
std::vector<HelpSection> help_sections(const OptionTable& table, Command command);

/// Of the program: its subcommands.
std::string overview_text();

/// All of it in Markdown: docs/cli.md.
std::string cli_markdown(const OptionTable& table);

}  // namespace nongemm
