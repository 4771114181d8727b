#include "spec/shells.h"

#include <fmt/format.h>

#include "spec/help.h"

namespace nongemm {
namespace {

/// Every `from` as `to`.
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// Within '...' of a POSIX shell and of fish alike.
std::string single_quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

/// Values that a shell can offer: an option's choices, or none.
std::string choices_of(const Option& option) { return fmt::format("{}", fmt::join(option.choices, " ")); }

/// Options that begin with two dashes; those of a flow are values of --set.
std::vector<const Option*> dashed(const OptionTable& table, Command command) {
  std::vector<const Option*> options;
  for (const Option* option : table.options(command)) {
    if (!option->positional && !option->of_flow) options.push_back(option);
  }
  return options;
}

std::string settings_of_flows(const OptionTable& table, Command command) {
  std::string text;
  for (const Option* option : table.options(command)) {
    if (option->of_flow) text += (text.empty() ? "" : " ") + option->name + "=";
  }
  return text;
}

const Option* positional(const OptionTable& table, Command command) {
  for (const Option* option : table.options(command)) {
    if (option->positional) return option;
  }
  return nullptr;
}

/// The values of a command's first argument: those that the table knows, else names of models and files.
std::string subjects_of(const OptionTable& table, Command command) {
  const Option* subject = positional(table, command);
  return subject == nullptr ? std::string() : choices_of(*subject);
}

std::string names_of_commands() {
  std::string names;
  for (const CommandInfo& info : command_infos()) names += (names.empty() ? "" : " ") + std::string(info.name);
  return names;
}

/// In a man page a line that begins with a dot is a request, and a dash in an option is not a hyphen.
std::string in_man(const std::string& text) {
  std::string escaped = replaced(replaced(text, "\\", "\\e"), "-", "\\-");
  return escaped.starts_with('.') || escaped.starts_with('\'') ? "\\&" + escaped : escaped;
}

}  // namespace

std::string bash_completion(const OptionTable& table) {
  std::string text =
      "# bash completion of nongemm, made from its option table: source <(nongemm list bash)\n"
      "_nongemm() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} options= values= subjects=\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    mapfile -t COMPREPLY < <(compgen -W '" +
      names_of_commands() + " --help --version' -- \"$word\")\n    return\n  fi\n  case ${COMP_WORDS[1]} in\n";
  for (const CommandInfo& info : command_infos()) {
    std::string names;
    std::string cases;
    for (const Option* option : dashed(table, info.command)) {
      names += option->spelled() + " ";
      if (!option->choices.empty())
        cases += fmt::format("        {}) values='{}' ;;\n", option->spelled(), choices_of(*option));
    }
    const std::string settings = settings_of_flows(table, info.command);
    if (!settings.empty()) {
      names += "--set ";
      cases += fmt::format("        --set) values='{}' ;;\n", settings);
    }
    text += fmt::format("    {})\n      options='{}--help' subjects='{}'\n", info.name, names,
                        subjects_of(table, info.command));
    if (!cases.empty()) text += "      case $before in\n" + cases + "      esac\n";
    text += "      ;;\n";
  }
  return text +
         "  esac\n"
         "  local head=\n"
         "  if [[ -n $values && $word == *,* ]]; then head=${word%,*}, word=${word##*,}; fi\n"
         "  if [[ -n $values ]]; then mapfile -t COMPREPLY < <(compgen -P \"$head\" -W \"$values\" -- \"$word\")\n"
         "  elif [[ $word == -* ]]; then mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
         "  elif [[ -n $subjects ]]; then mapfile -t COMPREPLY < <(compgen -W \"$subjects\" -- \"$word\")\n"
         "  elif [[ $before != -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$(nongemm list models 2>/dev/null | awk 'NR > 1 {print $1}')\" -- "
         "\"$word\"\n"
         "                             compgen -f -- \"$word\")\n"
         "  else mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); fi\n"
         "}\n"
         "complete -o filenames -F _nongemm nongemm\n";
}

std::string zsh_completion(const OptionTable& table) {
  std::string text =
      "#compdef nongemm\n# zsh completion of nongemm, made from its option table\n\n"
      "_nongemm_models() { compadd -- ${(f)\"$(nongemm list models 2>/dev/null | awk 'NR > 1 {print $1}')\"}; _files "
      "}\n\n"
      "_nongemm() {\n  local -a commands=(\n";
  const auto described = [](const std::string& name, const std::string& doc) {
    return single_quoted(replaced(name, ":", "\\:") + ":" + doc);
  };
  for (const CommandInfo& info : command_infos()) {
    text += "    " + described(std::string(info.name), std::string(info.doc)) + "\n";
  }
  text += "  )\n  if ((CURRENT == 2)); then _describe command commands; return; fi\n  case $words[2] in\n";
  for (const CommandInfo& info : command_infos()) {
    text += fmt::format("    {}) shift words; ((CURRENT--)); _arguments -s \\\n", info.name);
    for (const Option* option : dashed(table, info.command)) {
      const std::string doc = replaced(replaced(replaced(option->doc, "[", "("), "]", ")"), ":", "\\:");
      const std::string values = option->choices.empty() ? "_files" : "(" + choices_of(*option) + ")";
      const std::string argument =
          option->type == OptionType::kFlag ? "" : fmt::format(":{}:{}", option->value, values);
      text += "      " +
              single_quoted(
                  fmt::format("{}{}[{}]{}", option->takes_several() ? "*" : "", option->spelled(), doc, argument)) +
              " \\\n";
    }
    const std::string subjects = subjects_of(table, info.command);
    text +=
        "      " + single_quoted("*:what:" + (subjects.empty() ? "_nongemm_models" : "(" + subjects + ")")) + " ;;\n";
  }
  return text + "  esac\n}\n\n_nongemm \"$@\"\n";
}

std::string fish_completion(const OptionTable& table) {
  std::string text =
      "# fish completion of nongemm, made from its option table\ncomplete -c nongemm -n __fish_use_subcommand -f\n";
  for (const CommandInfo& info : command_infos()) {
    text += fmt::format("complete -c nongemm -n __fish_use_subcommand -a {} -d {}\n", info.name,
                        single_quoted(std::string(info.doc)));
  }
  for (const CommandInfo& info : command_infos()) {
    const std::string when = fmt::format("complete -c nongemm -n '__fish_seen_subcommand_from {}'", info.name);
    for (const Option* option : dashed(table, info.command)) {
      text += fmt::format("{} -l {} -d {}", when, option->name, single_quoted(option->doc));
      if (option->type != OptionType::kFlag)
        text += option->choices.empty() ? " -r" : fmt::format(" -x -a '{}'", choices_of(*option));
      text += "\n";
    }
    const std::string subjects = subjects_of(table, info.command);
    if (!subjects.empty()) text += fmt::format("{} -f -a '{}'\n", when, subjects);
  }
  return text;
}

std::string man_page(const OptionTable& table) {
  std::string text =
      ".TH NONGEMM 1\n.SH NAME\nnongemm \\- where inference time goes besides matrix multiplication\n"
      ".SH SYNOPSIS\n.B nongemm\n.I COMMAND\n[\\fIOPTION\\fR...]\n.SH DESCRIPTION\n"
      "Runs deep\\-learning models and reports where their inference time goes: per operator, deployment flow and "
      "device.\n";
  for (const CommandInfo& info : command_infos()) {
    text += fmt::format(".SH NONGEMM {}\n{}.\n", replaced(std::string(info.name), "-", "\\-"),
                        in_man(std::string(info.doc)));
    for (const HelpSection& section : help_sections(table, info.command)) {
      text += fmt::format(".SS {}\n", section.title);
      for (const auto& [usage, doc] : section.options)
        text += fmt::format(".TP\n.B {}\n{}\n", in_man(usage), in_man(doc));
    }
  }
  return text +
         ".SH EXIT STATUS\n0 when all points are well or unsupported, 1 when one failed, 2 for a wrong command line, "
         "130 when interrupted.\n";
}

}  // namespace nongemm
