// What a shell and man know of the command line, made from the option table: completions and a man page.
#pragma once

#include <string>

#include "spec/option_table.h"

namespace nongemm {

/// For `source <(nongemm list bash)`, or the shell's folder of completions.
std::string bash_completion(const OptionTable& table);
std::string zsh_completion(const OptionTable& table);
std::string fish_completion(const OptionTable& table);

/// nongemm(1), for man.
std::string man_page(const OptionTable& table);

}  // namespace nongemm
