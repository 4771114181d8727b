#include "spec/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/error.h"
#include "spec/command_line.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array kSettings = {FlowSetting{.name = "level", .value = "LEVEL", .doc = "how much"}};
constexpr FlowDescription kTorch{.name = "torch", .title = "Torch", .way_out = ""};
constexpr FlowDescription kFast{.name = "fast", .title = "Fast", .way_out = "", .settings = kSettings};

const OptionTable& table() {
  static constexpr std::array kFlows = {&kTorch, &kFast};
  static const OptionTable kTable(kFlows);
  return kTable;
}

std::vector<std::string> commands(const std::string& toml, const std::vector<std::string>& words = {}) {
  std::vector<std::string> all;
  Selection over;
  if (!words.empty()) over = parse_arguments(table(), kRun, words).selection;
  for (const Selection& selection : parse_plan(table(), toml, "plan.toml", over)) {
    for (const Request& request : table().points(kRun, selection)) all.push_back(table().command_of(kRun, request));
  }
  return all;
}

std::string refusal(const std::string& toml) {
  try {
    commands(toml);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    return error.what();
  }
  return "";
}

TEST(Plan, ListsAreSwept) {
  EXPECT_THAT(commands(R"(
model = ["a", "b"]
batch = [1, 8]
max-seconds = 0.5
no-limits = true
check = false
)"),
              ElementsAre("nongemm run a --max-seconds 0.5 --no-limits",
                          "nongemm run a --max-seconds 0.5 --no-limits --batch 8",
                          "nongemm run b --max-seconds 0.5 --no-limits",
                          "nongemm run b --max-seconds 0.5 --no-limits --batch 8"));
  EXPECT_THAT(commands("model = 'a'\nflow = 'fast'\nfast.level = 'low'\n"),
              ElementsAre("nongemm run a --flow fast --set fast.level=low"));
}

TEST(Plan, SweepsShareWhatStandsAboveThem) {
  EXPECT_THAT(commands(R"(
model = "a"
batch = 2
[[sweep]]
device = "cuda"
dtype = ["fp16", "bf16"]
[[sweep]]
batch = 4
)"),
              ElementsAre("nongemm run a --device cuda --dtype fp16 --batch 2",
                          "nongemm run a --device cuda --dtype bf16 --batch 2", "nongemm run a --batch 4"));
}

TEST(Plan, ASettingOfAllSweepsIsForThoseThatCanUseIt) {
  EXPECT_THAT(commands(R"(
model = "a"
fast.level = "low"
[[sweep]]
flow = "fast"
[[sweep]]
batch = 2
)"),
              ElementsAre("nongemm run a --flow fast --set fast.level=low", "nongemm run a --batch 2"));
  EXPECT_THAT(
      commands("model = 'a'\n[[sweep]]\nflow = 'fast'\n[[sweep]]\nbatch = 2\n", {"a", "--set", "fast.level=low"}),
      ElementsAre("nongemm run a --flow fast --set fast.level=low", "nongemm run a --batch 2"));
  // By itself it has to have an effect, in one of them at least.
  EXPECT_THAT(refusal("model = 'a'\nfast.level = 'low'\n[[sweep]]\nbatch = 1\n[[sweep]]\nbatch = 2\n"),
              HasSubstr("the fast flow is not run"));
  EXPECT_THAT(refusal("model = 'a'\n[[sweep]]\nflow = 'fast'\n[[sweep]]\nfast.level = 'low'\n"),
              HasSubstr("the fast flow is not run"));
}

TEST(Plan, TheCommandLineDecides) {
  EXPECT_THAT(commands("model = 'a'\nbatch = [1, 2]\n", {"b", "--batch", "4"}), ElementsAre("nongemm run b --batch 4"));
}

TEST(Plan, AWayToSayTheSameReplacesTheOther) {
  EXPECT_THAT(
      commands("model = 'a'\nstop = 'count,n=3'\nwarmup = 1\n", {"a", "--iterations", "5", "--warm-up", "count,n=4"}),
      ElementsAre("nongemm run a --warm-up count,n=4 --iterations 5"));
}

TEST(Plan, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_THAT(refusal("model = 'a'\nbach = 2\n"), AllOf(HasSubstr("plan.toml:2:"), HasSubstr("did you mean 'batch'")));
  EXPECT_THAT(refusal("model = 'a'\nbatch = [1, 0]\n"),
              AllOf(HasSubstr("plan.toml:2:13"), HasSubstr("1 to 1,000,000,000")));
  EXPECT_THAT(refusal("model = 'a'\nbatch = []\n"), HasSubstr("has no point"));
  EXPECT_THAT(refusal("model = 'a'\nthreads = [1, 2]\n"), HasSubstr("'threads' takes one value"));
  EXPECT_THAT(refusal("model = 'a'\ncheck = 1\n"), HasSubstr("neither true nor false"));
  EXPECT_THAT(refusal("model = 'a'\nbatch = 2020-01-01\n"), HasSubstr("neither a text nor a number"));
  EXPECT_THAT(refusal("model = 'a'\nfast.levl = 1\n"), HasSubstr("'fast.levl'"));
  EXPECT_THAT(refusal("model = 'a'\nsweep = 1\n"), HasSubstr("[[sweep]]"));
  EXPECT_THAT(refusal("batch = 2\n"), HasSubstr("names no model"));
  EXPECT_THAT(refusal("model = [\n"), HasSubstr("plan.toml:"));
}

}  // namespace
}  // namespace nongemm
