#include "spec/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace nongemm {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kIndent = 26;

/// Words of `text` in lines, all but the first indented.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string result;
  std::size_t column = indent;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (column > indent && column + 1 + word.size() > kWidth) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
    begin = end + 1;
  }
  return result;
}

/// "--batch N,..."
std::string usage_of(const Option& option) {
  if (option.positional) return option.value + (option.takes_several() ? "..." : "");
  if (option.of_flow) {
    return "--set " + option.name + "=" +
           (option.choices.empty() ? option.value : fmt::format("{}", fmt::join(option.choices, "|")));
  }
  if (option.type == OptionType::kFlag) return option.spelled();
  return option.spelled() + " " + option.value + (option.commas ? ",..." : "");
}

/// What happens without it.
std::string default_of(const Option& option, Command command) {
  if (!option.otherwise.empty()) return option.otherwise;
  if (option.type == OptionType::kFlag) return "";
  return fmt::format("{}", fmt::join(option.get(defaults_of(command)), ","));
}

std::string doc_of(const Option& option, Command command) {
  std::string doc = option.doc;
  if (option.repeatable && !option.positional && !option.commas) doc += "; may be repeated";
  const std::string usual = default_of(option, command);
  return usual.empty() ? doc : fmt::format("{} (default: {})", doc, usual);
}

constexpr std::array kSections = {OptionSection::kSubject, OptionSection::kOperator,  OptionSection::kModel,
                                  OptionSection::kRun,     OptionSection::kMeasuring, OptionSection::kCounting,
                                  OptionSection::kFlow,    OptionSection::kSweep,     OptionSection::kComparing,
                                  OptionSection::kOutput};

/// Calls `visit(title, options)` for each section of the subcommand that has some.
template <typename Visit>
void for_each_section(const OptionTable& table, Command command, Visit&& visit) {
  for (const OptionSection section : kSections) {
    std::vector<const Option*> options;
    for (const Option* option : table.options(command)) {
      if (option->section == section) options.push_back(option);
    }
    if (!options.empty()) visit(title_of(section), options);
  }
}

std::string synopsis(const OptionTable& table, Command command) {
  std::string text = fmt::format("nongemm {}", info_of(command).name);
  for (const Option* option : table.options(command)) {
    if (!option->positional) continue;
    text += option->required ? " " + usage_of(*option) : " [" + usage_of(*option) + "]";
  }
  return text + " [OPTION...]";
}

std::string in_markdown(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  return text;
}

}  // namespace

std::string help_text(const OptionTable& table, Command command) {
  std::string text =
      fmt::format("{}\n\n  {}\n", wrapped(std::string(info_of(command).doc), 0), synopsis(table, command));
  for_each_section(table, command, [&](const char* title, const std::vector<const Option*>& options) {
    text += fmt::format("\n{}\n", title);
    for (const Option* option : options) {
      const std::string usage = "  " + usage_of(*option);
      text += usage;
      text += usage.size() + 2 > kIndent ? "\n" + std::string(kIndent, ' ') : std::string(kIndent - usage.size(), ' ');
      text += wrapped(doc_of(*option, command), kIndent) + "\n";
    }
  });
  return text;
}

std::vector<HelpSection> help_sections(const OptionTable& table, Command command) {
  std::vector<HelpSection> sections;
  for_each_section(table, command, [&](const char* title, const std::vector<const Option*>& options) {
    HelpSection& section = sections.emplace_back(HelpSection{title, {}});
    for (const Option* option : options) section.options.emplace_back(usage_of(*option), doc_of(*option, command));
  });
  return sections;
}

std::string overview_text() {
  std::string text =
      "Where inference time goes besides matrix multiplication, per operator, deployment flow and device.\n\n"
      "  nongemm COMMAND [OPTION...]\n\nCommands\n";
  for (const CommandInfo& info : command_infos()) {
    text += fmt::format("  {:<10}{}\n", info.name, wrapped(std::string(info.doc), 12));
  }
  return text +
         "\n  nongemm COMMAND --help  lists the options of a command\n"
         "  nongemm --version       says which runtimes and devices were found\n";
}

std::string cli_markdown(const OptionTable& table) {
  std::string text;
  for (const CommandInfo& info : command_infos()) {
    text += fmt::format("\n## nongemm {}\n\n{}.\n\n    {}\n", info.name, info.doc, synopsis(table, info.command));
    for_each_section(table, info.command, [&](const char* title, const std::vector<const Option*>& options) {
      text += fmt::format("\n| {} | |\n| --- | --- |\n", title);
      for (const Option* option : options) {
        text +=
            fmt::format("| `{}` | {} |\n", in_markdown(usage_of(*option)), in_markdown(doc_of(*option, info.command)));
      }
    });
  }
  return text;
}

}  // namespace nongemm
