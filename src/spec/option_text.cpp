// What is made of a request by the table: a command, a key, settings, values.
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "spec/option_table.h"

namespace nongemm {
namespace {

/// A model file has defaults of its own. What is measured has none.
bool is_default(const Option& option, Command command, const Request& request) {
  if (option.section == OptionSection::kSubject) return false;
  Request usual = defaults_of(command);
  usual.run.model = request.run.model;
  return option.get(request) == option.get(usual);
}

/// "--batch 4", "--check", "--set ort.level=basic"
std::vector<std::string> words_for(const Option& option, const std::string& value) {
  if (option.positional) return {value};
  if (option.type == OptionType::kFlag) return {option.spelled()};
  if (option.of_flow) return {"--set", option.name + "=" + value};
  return {option.spelled(), value};
}

std::string title_of(const Option& option) {
  if (!option.title.empty()) return option.title;
  std::string title = option.name;
  std::replace(title.begin(), title.end(), '-', ' ');
  return title;
}

}  // namespace

std::vector<std::string> words_of(const Selection& selection) {
  std::vector<std::string> words;
  for (const GivenOption& given : selection) {
    for (const std::string& value : given.values) {
      for (std::string& word : words_for(*given.option, value)) words.push_back(std::move(word));
    }
  }
  return words;
}

std::vector<std::string> OptionTable::words_of(Command command, const Request& request) const {
  std::vector<std::string> words{std::string(info_of(command).name)};
  std::vector<std::string> rest;
  for (const Option* option : options(command)) {
    if (option->role == OptionRole::kOutput || !option->applies_to(request.run)) continue;
    if (is_default(*option, command, request)) continue;
    for (const std::string& value : option->get(request)) {
      for (std::string& word : words_for(*option, value))
        (option->positional ? words : rest).push_back(std::move(word));
    }
  }
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

std::string OptionTable::command_of(Command command, const Request& request) const {
  std::string text = "nongemm";
  for (const std::string& word : words_of(command, request)) text += " " + shell_word(word);
  return text;
}

std::string OptionTable::key_of(Command command, const Request& request) const {
  std::vector<std::string> lines;
  for (const Option* option : options(command)) {
    if (option->role != OptionRole::kIdentity || !option->applies_to(request.run)) continue;
    if (is_default(*option, command, request)) continue;
    for (const std::string& value : option->get(request)) lines.push_back(fmt::format("{}={}", option->name, value));
  }
  std::stable_sort(lines.begin(), lines.end(), [](const std::string& a, const std::string& b) {
    return a.substr(0, a.find('=')) < b.substr(0, b.find('='));
  });
  return fmt::format("{:016x}", hash_of(fmt::format("{}\n{}", info_of(command).name, fmt::join(lines, "\n"))));
}

std::vector<std::pair<std::string, std::string>> OptionTable::settings_of(Command command,
                                                                          const Request& request) const {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const OptionShown shown : {OptionShown::kAlways, OptionShown::kWhenGiven}) {
    for (const Option* option : options(command)) {
      if (option->shown != shown || !option->applies_to(request.run)) continue;
      if (shown == OptionShown::kWhenGiven && is_default(*option, command, request)) continue;
      const bool flag = option->type == OptionType::kFlag;
      settings.emplace_back(title_of(*option), flag ? "yes" : fmt::format("{}", fmt::join(option->get(request), ", ")));
    }
  }
  return settings;
}

std::vector<OptionValue> OptionTable::values_of(Command command, const Request& request) const {
  std::vector<OptionValue> all;
  for (const Option* option : options(command)) {
    if (option->role == OptionRole::kOutput || !option->applies_to(request.run)) continue;
    const std::vector<std::string> values = option->get(request);
    if (!values.empty()) all.push_back({option->name, option->type, option->repeatable, values});
  }
  return all;
}

Request OptionTable::request_of(Command command, const std::vector<OptionValue>& values) const {
  Request request = defaults_of(command);
  for (const OptionValue& value : values) {
    try {
      const Option& row = option(command, value.name);
      for (const std::string& text : value.texts) row.set(request, text);
    } catch (const Error& error) {
      throw Error(ErrorKind::kBadInput, std::string("a specification that cannot be read: ") + error.what());
    }
  }
  return request;
}

}  // namespace nongemm
