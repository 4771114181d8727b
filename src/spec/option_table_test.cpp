#include "spec/option_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <sstream>

#include "base/error.h"
#include "spec/command_line.h"
#include "spec/help.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::array<std::string_view, 2> kLevels = {"some", "all"};
constexpr std::array kSettings = {
    FlowSetting{.name = "level", .value = "LEVEL", .choices = kLevels, .default_text = "all", .doc = "how much"},
    FlowSetting{.name = "cache", .value = "FOLDER", .doc = "where engines are kept", .identity = false},
};
constexpr FlowDescription kTorch{.name = "torch", .title = "Torch", .way_out = ""};
constexpr FlowDescription kFast{.name = "fast", .title = "Fast", .way_out = "", .settings = kSettings};

const OptionTable& table() {
  static constexpr std::array kFlows = {&kTorch, &kFast};
  static const OptionTable kTable(kFlows);
  return kTable;
}

std::vector<Request> points(Command command, const std::vector<std::string>& words) {
  return table().points(command, parse_arguments(table(), command, words).selection);
}

Request point(Command command, const std::vector<std::string>& words) {
  std::vector<Request> all = points(command, words);
  EXPECT_EQ(all.size(), 1U);
  return all.front();
}

std::string refusal(Command command, const std::vector<std::string>& words) {
  try {
    points(command, words);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

/// Words of a command without characters that a shell would change.
std::vector<std::string> words_of(const std::string& command) {
  std::vector<std::string> words;
  std::istringstream stream(command);
  for (std::string word; stream >> word;) words.push_back(word);
  return {words.begin() + 2, words.end()};
}

/// A value that is not the default, for options whose values are not choices.
std::string example_of(const Option& option, Command command) {
  static const std::map<std::string, std::string> kExamples = {
      {"dtype", "fp16"},
      {"image-size", "32x48"},
      {"input", "x=1x2:int64"},
      {"device", "cuda:3"},
      {"max-seconds", "0.25"},
      {"tolerance", "0.5"},
      {"seed", "18446744073709551615"},
      {"opset", "18"},
      {"arg", "dim=-1"},
      {"stop", "interval,width=0.01"},
      {"warm-up", "settle,least=4"},
      {"sample", "temperature=0.75,top_k=50,top_p=0.5"},
  };
  if (option.type == OptionType::kFlag) return "true";
  if (const auto at = kExamples.find(option.name); at != kExamples.end()) return at->second;
  if (!option.choices.empty()) {
    for (const std::string& choice : option.choices) {
      Request request = defaults_of(command);
      option.set(request, choice);
      if (option.get(request) != option.get(defaults_of(command))) return choice;
    }
  }
  return option.type == OptionType::kInteger || option.type == OptionType::kNumber ? "3" : "a_text";
}

/// The request with an option set to something else than its default, and what else the option needs to have an effect.
Request request_with(const Option& option, Command command) {
  Request request = defaults_of(command);
  if (option.name.starts_with("quantize.")) {
    request.run.options.quantize.scheme = QuantizeScheme::kLlmInt8;
  } else if (option.of_flow) {
    request.run.flow = option.name.substr(0, option.name.find('.'));
  }
  for (const Option* other : table().options(command)) {
    if (other->required && other->role != OptionRole::kOutput) other->set(request, "a_model");
  }
  option.set(request, example_of(option, command));
  return request;
}

TEST(OptionTable, EveryOptionSurvivesItsCommand) {
  for (const CommandInfo& info : command_infos()) {
    for (const Option* option : table().options(info.command)) {
      if (option->role == OptionRole::kOutput) continue;
      SCOPED_TRACE(std::string(info.name) + " " + option->name);
      const Request request = request_with(*option, info.command);
      ASSERT_FALSE(option->get(request).empty());
      std::string command = table().command_of(info.command, request);
      EXPECT_THAT(command, HasSubstr(option->positional ? option->get(request).front() : option->spelled()));
      // What is required and no part of a point is added, as a user would.
      std::vector<std::string> words = words_of(command);
      for (const Option* other : table().options(info.command)) {
        if (!other->required || other->role != OptionRole::kOutput) continue;
        if (!other->positional) words.push_back(other->spelled());
        words.push_back(other->choices.empty() ? "file" : other->choices.front());
      }
      const Request again = point(info.command, words);
      EXPECT_EQ(option->get(again), option->get(request));
      EXPECT_EQ(table().command_of(info.command, again), command);
      EXPECT_EQ(table().key_of(info.command, again), table().key_of(info.command, request));
    }
  }
}

TEST(OptionTable, EveryOptionSurvivesAsData) {
  for (const Command command : {kRun, kOp}) {
    for (const Option* option : table().options(command)) {
      if (option->role == OptionRole::kOutput) continue;
      SCOPED_TRACE(option->name);
      const Request request = request_with(*option, command);
      const Request again = table().request_of(command, table().values_of(command, request));
      EXPECT_EQ(table().command_of(command, again), table().command_of(command, request));
    }
  }
  EXPECT_THROW(table().request_of(kRun, {{"bach", OptionType::kInteger, false, {"1"}}}), Error);
}

TEST(OptionTable, DefaultsAreLeftOut) {
  EXPECT_EQ(
      table().command_of(kRun, point(kRun, {"gpt2", "--batch", "1", "--dtype", "fp32", "--device", "cpu", "--seed", "0",
                                            "--max-seconds", "10", "--by", "module", "--tf32", "default"})),
      "nongemm run gpt2");
  EXPECT_EQ(table().command_of(kOp, point(kOp, {"relu", "--max-seconds", "2"})), "nongemm op relu");
  EXPECT_EQ(table().command_of(kOp, point(kOp, {"relu", "--max-seconds", "10"})), "nongemm op relu --max-seconds 10");
  // A file decides by itself what is not said.
  EXPECT_EQ(table().command_of(kRun, point(kRun, {"a.pt2", "--batch", "1", "--dtype", "fp32"})),
            "nongemm run a.pt2 --dtype fp32 --batch 1");
}

TEST(OptionTable, AKeyIsOfThePointAndNotOfItsWords) {
  const auto key = [](const std::vector<std::string>& words) { return table().key_of(kRun, point(kRun, words)); };
  const std::string plain = key({"gpt2"});
  EXPECT_EQ(plain.size(), 16U);
  EXPECT_EQ(plain, "0c0d4aa2c376ae99") << "a key that changes loses what users measured before";
  EXPECT_EQ(key({"--batch", "1", "gpt2", "--device", "cpu"}), plain);
  EXPECT_EQ(key({"gpt2", "--batch", "4", "--device", "cuda"}), key({"--device=cuda:0", "--batch=4", "gpt2"}));
  EXPECT_NE(key({"gpt2", "--batch", "4"}), plain);
  EXPECT_EQ(key({"gpt2", "--remeasure-limits"}), plain);
  EXPECT_EQ(key({"gpt2", "--output", "x", "--format", "md"}), plain);
  // A flow's default setting, and a folder for its files, make no other point; its other settings do.
  const std::string fast = key({"gpt2", "--flow", "fast"});
  EXPECT_EQ(key({"gpt2", "--flow", "fast", "--set", "fast.level=all", "--set", "fast.cache=f"}), fast);
  EXPECT_NE(key({"gpt2", "--flow", "fast", "--set", "fast.level=some"}), fast);
  EXPECT_NE(table().key_of(kOp, point(kOp, {"relu"})), table().key_of(kOp, point(kOp, {"gelu"})));
}

TEST(OptionTable, SweepsMultiplyInTheOrderOfTheTable) {
  std::vector<std::string> commands;
  for (const Request& request :
       points(kRun, {"a", "b", "--batch", "1,2", "--flow", "torch,fast", "--set", "fast.level=some"})) {
    commands.push_back(table().command_of(kRun, request));
  }
  EXPECT_THAT(commands,
              ElementsAre("nongemm run a", "nongemm run a --batch 2", "nongemm run a --flow fast --set fast.level=some",
                          "nongemm run a --flow fast --batch 2 --set fast.level=some", "nongemm run b",
                          "nongemm run b --batch 2", "nongemm run b --flow fast --set fast.level=some",
                          "nongemm run b --flow fast --batch 2 --set fast.level=some"));
  std::string many = "1";
  for (int i = 2; i <= 1000; ++i) many += "," + std::to_string(i);
  EXPECT_THAT(refusal(kRun, {"a", "--batch", many, "--seq-len", many}), HasSubstr("100,000 points"));
}

TEST(OptionTable, WrongWordsGetTheNearestOnes) {
  EXPECT_THAT(refusal(kRun, {"gpt2", "--bach", "2"}),
              AllOf(HasSubstr("'--bach'"), HasSubstr("did you mean '--batch'")));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--flow", "troch"}), AllOf(HasSubstr("flow 'troch'"), HasSubstr("'torch'")));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--attention", "spda"}), HasSubstr("did you mean 'sdpa'"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--device", "cuad"}), HasSubstr("did you mean 'cuda'"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--device", "cuda:-1"}), HasSubstr("cuda:-1"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--set", "fast.levl=all"}),
              AllOf(HasSubstr("'fast.levl'"), HasSubstr("fast.level")));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--set", "fast.level"}), HasSubstr("gives no value"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--flow", "fast", "--set", "fast.level=most"}),
              AllOf(HasSubstr("'most'"), HasSubstr("some, all")));
  EXPECT_THAT(refusal(kRun, {}), HasSubstr("MODEL is missing"));
  EXPECT_THAT(refusal(kReport, {"a.json", "b.json"}), HasSubstr("'b.json'"));
}

TEST(OptionTable, ValuesThatAreNotPossibleAreNamedWithTheirRange) {
  EXPECT_THAT(refusal(kRun, {"gpt2", "--batch", "0"}), HasSubstr("--batch 0 not in range 1 to 1,000,000,000"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--batch", "99999999999999999999"}),
              HasSubstr("--batch 99999999999999999999 not in range 1 to 1,000,000,000"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--seed", "-1"}),
              HasSubstr("--seed -1 not in range 0 to 18,446,744,073,709,551,615"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--seed", "18446744073709551616"}), HasSubstr("not in range"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--max-seconds", "nan"}),
              HasSubstr("--max-seconds nan not in range 0.01 to 86400"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--threads", "two"}), HasSubstr("--threads two is not a whole number"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--batch", "1,,2"}), HasSubstr("--batch 1,,2 has an empty value"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--batch", "1,1"}), HasSubstr("--batch has the value 1 twice"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--batch", "1", "--batch", "1"}), HasSubstr("twice"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--device", "cuda,cuda:0"}), HasSubstr("--device has the value cuda:0 twice"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--threads", "1", "--threads", "2"}), HasSubstr("--threads is given twice"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--output", ""}), HasSubstr("--output has an empty value"));
  EXPECT_THAT(refusal(kInspect, {"gpt2", "--image-size", "12x"}), HasSubstr("'12x'"));
  EXPECT_THAT(refusal(kRun, {"gpt2", "--set", "fast.level=some"}),
              HasSubstr("has no effect: the fast flow is not run"));
}

TEST(OptionTable, SharesAreInPercentOrBelowOne) {
  for (const char* name : {"--fail-above", "--tolerance"}) {
    const auto of = [name](const char* value) { return refusal(kCompare, {"a", "b", name, value}); };
    for (const char* value : {"5", "1", "100"}) {
      EXPECT_THAT(of(value), AllOf(HasSubstr(std::string(value) + " is "), HasSubstr(std::string(value) + "% or ")));
    }
    for (const char* value : {"200%", "-1%", "-0.1", "200", "nan", "nan%"}) {
      EXPECT_THAT(of(value), HasSubstr(std::string(name) + " " + value + " not in range 0% to 100%"));
    }
  }
  EXPECT_THAT(refusal(kCompare, {"a", "b", "--fail-above", "5"}), HasSubstr("5 is 500 %\n  write 5% or 0.05"));
  EXPECT_DOUBLE_EQ(*point(kCompare, {"a", "b", "--fail-above", "5%"}).compared.fail_above, 0.05);
  EXPECT_DOUBLE_EQ(*point(kCompare, {"a", "b", "--fail-above", "0.05"}).compared.fail_above, 0.05);
  EXPECT_DOUBLE_EQ(point(kCompare, {"a", "b", "--tolerance", "100%"}).compared.tolerance, 1);
  EXPECT_THAT(help_text(table(), kCompare), HasSubstr("(default: 3%)"));
}

/// With everything that the command requires besides.
std::string refusal_of(Command command, const Option& option, const std::string& value) {
  std::vector<std::string> words;
  for (const Option* other : table().options(command)) {
    if (!other->required || other == &option) continue;
    if (!other->positional) words.push_back(other->spelled());
    words.push_back(other->choices.empty() ? "a_model" : other->choices.front());
  }
  if (option.of_flow) {
    words.insert(words.end(), {"--set", option.name + "=" + value});
  } else {
    if (!option.positional) words.push_back(option.spelled());
    words.push_back(value);
  }
  return refusal(command, words);
}

TEST(OptionTable, EveryNumberHasARangeAndTellsIt) {
  int numbers = 0;
  for (const CommandInfo& info : command_infos()) {
    for (const Option* option : table().options(info.command)) {
      if (option->type != OptionType::kInteger && option->type != OptionType::kNumber) continue;
      ++numbers;
      SCOPED_TRACE(std::string(info.name) + " " + option->name);
      for (const char* value : {"99999999999999999999999", "-99999999999999999999999"}) {
        EXPECT_THAT(refusal_of(info.command, *option, value),
                    AllOf(HasSubstr(option->name), HasSubstr(value), HasSubstr(" not in range ")));
      }
      for (const char* value : {"two", "1e", "0x10", "1 2", "--"}) {
        EXPECT_THAT(refusal_of(info.command, *option, value), HasSubstr(value));
      }
      EXPECT_THAT(refusal_of(info.command, *option, "nan"), HasSubstr("nan"));
      EXPECT_THAT(refusal_of(info.command, *option, ""), HasSubstr("empty value"));
    }
  }
  EXPECT_GT(numbers, 20);
}

TEST(OptionTable, EveryListRefusesEmptyAndRepeatedValues) {
  int lists = 0;
  for (const CommandInfo& info : command_infos()) {
    for (const Option* option : table().options(info.command)) {
      if (!option->swept || !option->commas || option->of_flow) continue;
      ++lists;
      SCOPED_TRACE(std::string(info.name) + " " + option->name);
      const std::string value = example_of(*option, info.command);
      EXPECT_THAT(refusal_of(info.command, *option, value + ",," + value), HasSubstr("empty value"));
      EXPECT_THAT(refusal_of(info.command, *option, value + ","), HasSubstr("empty value"));
      EXPECT_THAT(refusal_of(info.command, *option, value + "," + value), HasSubstr("twice"));
    }
  }
  EXPECT_GT(lists, 10);
}

TEST(OptionTable, EveryChoiceRefusesOtherWords) {
  for (const CommandInfo& info : command_infos()) {
    for (const Option* option : table().options(info.command)) {
      if (option->choices.empty()) continue;
      SCOPED_TRACE(std::string(info.name) + " " + option->name);
      EXPECT_THAT(refusal_of(info.command, *option, "no_such_word"), HasSubstr("no_such_word"));
    }
  }
}

TEST(OptionTable, SettingsShowWhatIsAskedFor) {
  const auto settings = table().settings_of(
      kRun, point(kRun, {"gpt2", "--batch", "4", "--threads", "2", "--by", "operator", "--max-seconds", "1"}));
  EXPECT_THAT(settings, testing::IsSupersetOf({std::pair<std::string, std::string>("model", "gpt2"),
                                               std::pair<std::string, std::string>("device", "cpu"),
                                               std::pair<std::string, std::string>("batch", "4"),
                                               std::pair<std::string, std::string>("threads", "2"),
                                               std::pair<std::string, std::string>("by", "operator")}));
  for (const auto& [name, value] : settings) {
    EXPECT_NE(name, "max seconds");
    EXPECT_NE(name, "tf32");
  }
}

TEST(Help, ListsOptionsBySection) {
  EXPECT_EQ(help_text(table(), kReport), R"(Make any format again from a JSON report

  nongemm report FILE [OPTION...]

What
  FILE                    a report.json, a journal of a sweep, or a folder with some

Output
  --output FOLDER         folder for report.json and the other formats asked for (default: standard
                          output)
  --format FORMAT,...     table, json, csv, md, html, trace, google-benchmark (default: table)
  --report REPORT,...     performance, workload or nongemm: what to print or write; JSON always
                          holds everything (default: a summary on the terminal, everything in files)
  --details               everything, not cut to the screen; of a sweep every point by itself
)");
  const std::string run = help_text(table(), kRun);
  EXPECT_THAT(run, AllOf(HasSubstr("  --batch N,..."), HasSubstr("(default: 10)"),
                         HasSubstr("  --set fast.level=some|all"), HasSubstr("  MODEL...")));
  EXPECT_THAT(help_text(table(), kOp), AllOf(HasSubstr("(default: 2)"), Not(HasSubstr("--input "))));
  EXPECT_TRUE(parse_arguments(table(), kRun, {"--help"}).help);
  EXPECT_TRUE(parse_arguments(table(), kRun, {"gpt2", "-h"}).help);
}

TEST(RecordedCommand, OfTheFirstSchemaIsReadAgain) {
  const RunSpec spec = parse_recorded_command(
      table(), "nongemm run 'my model' --flow fast --device cuda:1 --batch 4 --tf32 --no-limits --input x=1x2");
  EXPECT_EQ(spec.model, "my model");
  EXPECT_EQ(spec.flow, "fast");
  EXPECT_EQ(spec.runtime.device, (Device{DeviceKind::kCuda, 1}));
  EXPECT_EQ(spec.options.batch, 4);
  EXPECT_EQ(spec.runtime.tf32, Tf32::kOn);
  EXPECT_FALSE(spec.limits);
  EXPECT_EQ(spec.options.inputs.size(), 1U);
  EXPECT_THROW(parse_recorded_command(table(), "nongemm op relu"), Error);
  EXPECT_THROW(parse_recorded_command(table(), "nongemm run a b"), Error);
  EXPECT_THROW(parse_recorded_command(table(), "nongemm run a --bach 2"), Error);
}

}  // namespace
}  // namespace nongemm
