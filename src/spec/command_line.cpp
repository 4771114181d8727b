// The only file that knows CLI11, whose headers take long to compile. It sorts words into options; what they mean is
// decided by the table.
#include "spec/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>

#include "base/error.h"
#include "base/text.h"

namespace nongemm {
namespace {

/// What the words say of one option; `option` is nullptr for --set.
struct Heard {
  const Option* option = nullptr;
  std::vector<std::string> values;
};

void declare(CLI::App& app, const Option& option, Heard& heard) {
  if (option.type == OptionType::kFlag) {
    app.add_flag_callback(option.spelled(), [&heard] { heard.values.emplace_back("true"); });
    return;
  }
  CLI::Option* row =
      app.add_option(option.positional ? option.value : option.spelled(), [&heard](const CLI::results_t& values) {
        heard.values = values;
        return true;
      });
  if (option.positional) {
    const int most = option.takes_several() ? CLI::detail::expected_max_vector_size : 1;
    row->expected(1, most)->allow_extra_args(option.takes_several());
  } else {
    // One value each time: what follows is the next word. Whether it may come again, the table knows.
    row->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
  }
}

void check_required(const OptionTable& table, Command command, const Selection& selection) {
  for (const Option* option : table.options(command)) {
    const bool given =
        std::any_of(selection.begin(), selection.end(), [&](const GivenOption& g) { return g.option == option; });
    if (given || !option->required) continue;
    throw Error(ErrorKind::kUsage, fmt::format("{} is missing: {}", option->spelled(), option->doc));
  }
}

[[noreturn]] void refuse_word(const OptionTable& table, Command command, const std::string& word) {
  std::vector<std::string> known = {"--help"};
  for (const Option* option : table.options(command)) {
    if (!option->positional && !option->of_flow) known.push_back(option->spelled());
  }
  throw Error(ErrorKind::kUsage, fmt::format("'{}' is not understood here", word),
              did_you_mean(word.substr(0, word.find('=')), known));
}

/// Version 1 had these as options of their own.
void modernise(std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--tf32") words[i] = "--tf32=on";
    if (words[i] == "--ort-level" && i + 1 < words.size()) {
      words[i] = "--set";
      words[i + 1] = "ort.level=" + words[i + 1];
    }
  }
}

}  // namespace

CommandLine parse_arguments(const OptionTable& table, Command command, std::vector<std::string> words) {
  CLI::App app;
  app.set_help_flag();
  CommandLine line;
  app.add_flag_callback("-h,--help", [&line] { line.help = true; });
  std::deque<Heard> heard;  // callbacks keep references
  for (const Option* option : table.options(command)) {
    if (option->of_flow) continue;
    heard.push_back({option, {}});
    declare(app, *option, heard.back());
  }
  Heard& settings = heard.emplace_back();
  const auto options = table.options(command);
  if (std::any_of(options.begin(), options.end(), [](const Option* option) { return option->of_flow; })) {
    app.add_option("--set", settings.values)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->allow_extra_args(false);
  }
  app.allow_extras();
  const bool wants_help =
      std::any_of(words.begin(), words.end(), [](const std::string& word) { return word == "--help" || word == "-h"; });
  std::reverse(words.begin(), words.end());
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    if (wants_help) return {{}, true};
    throw Error(ErrorKind::kUsage, error.what());
  }
  if (line.help) return line;
  if (const std::vector<std::string> extra = app.remaining(); !extra.empty()) {
    refuse_word(table, command, extra.front());
  }
  for (const Heard& row : heard) {
    for (const std::string& value : row.values) {
      if (row.option != nullptr) {
        table.give(command, *row.option, value, line.selection);
      } else {
        table.give_setting(command, value, line.selection);
      }
    }
  }
  check_required(table, command, line.selection);
  return line;
}

std::vector<std::string> shell_words(const std::string& command) {
  std::vector<std::string> words = CLI::detail::split_up(command);
  for (std::string& word : words) CLI::detail::remove_quotes(word);
  return words;
}

RunSpec parse_recorded_command(const OptionTable& table, const std::string& command) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::kBadInput, "the report's command '" + command + "' cannot be read again: " + why,
                "replay takes reports of nongemm run");
  };
  std::vector<std::string> words = shell_words(command);
  if (words.size() < 3 || words[0] != "nongemm" || words[1] != "run") refuse("it is not one of nongemm run");
  words.erase(words.begin(), words.begin() + 2);
  modernise(words);
  try {
    const std::vector<Request> points = table.points(kRun, parse_arguments(table, kRun, words).selection);
    if (points.size() != 1) refuse("it is of several points");
    return points.front().run;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUsage) throw;
    refuse(error.what());
  }
  return {};
}

}  // namespace nongemm
