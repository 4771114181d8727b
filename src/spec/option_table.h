// The one table of options. The command line, plans, --help, the command that a report records, its settings, its typed
// specification and the key of a point are made from it, so that a new option is one row (option_rows.h).
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "spec/flow_description.h"
#include "spec/option.h"
#include "spec/option_value.h"

namespace nongemm {

/// An option with the values that a user gave; the values are possible ones.
struct GivenOption {
  const Option* option = nullptr;
  std::vector<std::string> values;
};
using Selection = std::vector<GivenOption>;

/// Whether the option stands in the selection, whatever its value.
bool is_given(const Selection& selection, std::string_view name);
/// What `keep` says yes to.
template <typename Keep>
Selection part_of(const Selection& selection, Keep&& keep) {
  Selection part;
  for (const GivenOption& given : selection) {
    if (keep(*given.option)) part.push_back(given);
  }
  return part;
}

/// The words that say it again: {"gpt2", "--batch", "4", "--batch", "8"}.
std::vector<std::string> words_of(const Selection& selection);

class OptionTable {
 public:
  /// @param flows their names are the values of --flow, their settings become rows
  explicit OptionTable(std::span<const FlowDescription* const> flows);
  OptionTable(const OptionTable&) = delete;  // a Selection points into it
  OptionTable& operator=(const OptionTable&) = delete;

  /// The rows of a subcommand in the table's order.
  std::vector<const Option*> options(Command command) const;
  /// nullptr when the subcommand has no such option. Settings of flows are found by their whole name, "ort.level".
  const Option* find(Command command, const std::string& name) const;
  /// Throws Error(kUsage) with the nearest names.
  const Option& option(Command command, const std::string& name) const;

  /// Adds what a user wrote. Throws Error(kUsage) for values that are not possible, empty ones, an option that takes
  /// one value and has one, and a value that a sweep has already.
  void give(Command command, const Option& option, const std::string& text, Selection& selection) const;
  /// "ort.level=basic", as `--set` has it.
  void give_setting(Command command, const std::string& text, Selection& selection) const;

  /// The cross product of the swept options, the table's first one outermost; the others are the same in all of them.
  /// Throws Error(kUsage) for more points than anybody can want, and for settings of a flow that is in none of them.
  std::vector<Request> points(Command command, const Selection& selection, const Request& base) const;
  std::vector<Request> points(Command command, const Selection& selection) const {
    return points(command, selection, defaults_of(command));
  }

  /// What makes the point again, after the program's name: {"run", "gpt2", "--batch", "4"}; defaults are left out.
  std::vector<std::string> words_of(Command command, const Request& request) const;
  /// The same as a shell takes it: "nongemm run gpt2 --batch 4".
  std::string command_of(Command command, const Request& request) const;
  /// Equal for equal points, however they were written: 16 hexadecimal digits.
  std::string key_of(Command command, const Request& request) const;
  /// For a report's settings: title and value of what is always shown, and of what is not the default.
  std::vector<std::pair<std::string, std::string>> settings_of(Command command, const Request& request) const;
  /// Every option of the point that has a value, defaults included.
  std::vector<OptionValue> values_of(Command command, const Request& request) const;
  /// The other way. Throws Error(kBadInput) naming the option that is not known or not possible.
  Request request_of(Command command, const std::vector<OptionValue>& values) const;

 private:
  std::vector<Option> rows_;
};

/// The subcommands.
struct CommandInfo {
  Command command;
  std::string_view name;
  std::string_view doc;
};
std::span<const CommandInfo> command_infos();
const CommandInfo& info_of(Command command);

}  // namespace nongemm
