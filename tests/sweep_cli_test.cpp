// Sweeps as users meet them: journals, processes of their own, one table of all points.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli_program.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class SweepCli : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("model/config.json", R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 8,
                                   "n_layer": 1, "n_head": 2})");
    out_ = (folder_ / "out").string();
  }
  /// A plan whose points are these, each with keys of its own.
  std::string plan(const std::vector<std::string>& points) {
    std::string text = "model = '" + (folder_ / "model").string() + "'\niterations = 2\nwarmup = 0\nno-limits = true\n";
    for (const std::string& point : points) text += "[[sweep]]\n" + point + "\n";
    return write("plan.toml", text);
  }
  nlohmann::json report() const { return nlohmann::json::parse(std::ifstream(out_ + "/report.json")); }
  std::vector<std::string> statuses() const {
    const nlohmann::json points = report()["points"];
    std::vector<std::string> all;
    for (const auto& point : points) all.push_back(point["status"]);
    return all;
  }
  std::string reason(std::size_t i) const { return report()["points"][i]["reason"]; }

  std::string out_;
};

std::string library(const char* path) { return "load-library = '" + std::string(path) + "'"; }

std::ptrdiff_t lines_of(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string content = text.str();
  return std::count(content.begin(), content.end(), '\n');
}

TEST_F(SweepCli, OptionsWithoutEffectAreRefusedBeforeAnythingRunsOrIsListed) {
  const std::string model = (folder_ / "model").string();
  for (const std::string words :
       {"--stop count,n=3 --iterations 5", "--warm-up count,n=4 --warmup 1", "--points-per-task 3", "--tasks-at-once 3",
        "--slurm-options=--partition=gpu", "--remeasure-limits --no-limits", "--point-timeout 3"}) {
    const std::string option = words.substr(0, words.find_first_of(" ="));
    for (const std::string& command :
         {"run " + model, "run --list " + model, std::string("study acceleration --quick --list")}) {
      const Outcome ran = run(command + " " + words);
      EXPECT_EQ(ran.code, 2) << command << " " << words;
      EXPECT_THAT(ran.text, HasSubstr(option + " has no effect: "));
    }
  }
  EXPECT_THAT(run("op relu --stop count,n=3 --iterations 5").text, HasSubstr("--stop has no effect"));
  const Outcome format = run("run --list --format foo " + model);
  EXPECT_EQ(format.code, 2);
  EXPECT_THAT(format.text, HasSubstr("'foo'"));
  EXPECT_EQ(run("run --list --format json --output " + out_ + " " + model).code, 0);
  EXPECT_FALSE(fs::exists(out_));
}

TEST_F(SweepCli, AComparisonOfRunsRecordsWhatWasTyped) {
  const std::string one = "--run '" + (folder_ / "model").string() + " --iterations 2 --warmup 0 --no-limits' ";
  run("compare " + one + one + "--processes 2 --format json --output " + out_);
  const std::string command = report()["context"]["command"];
  EXPECT_THAT(command, AllOf(testing::StartsWith("nongemm compare --run "), Not(HasSubstr("/proc/self"))));
}

TEST_F(SweepCli, APointThatEndsItsProcessIsARow) {
  const Outcome ran =
      run("run " + plan({"seq-len = 4", library(NONGEMM_DOOMED_abort), library(NONGEMM_DOOMED_kill), "seq-len = 8"}) +
          " --isolate --output " + out_);
  EXPECT_EQ(ran.code, 1) << ran.text;
  EXPECT_THAT(statuses(), ElementsAre("ok", "failed", "failed", "ok"));
  EXPECT_THAT(reason(1), AllOf(HasSubstr("SIGABRT"), HasSubstr("a runtime's last words")));
  EXPECT_THAT(reason(2), HasSubstr("SIGKILL"));
  EXPECT_THAT(ran.text, AllOf(HasSubstr("All points"), HasSubstr("SIGABRT"), HasSubstr("SIGKILL")));
}

TEST_F(SweepCli, APointThatHangsIsARow) {
  const Outcome ran =
      run("run " + plan({library(NONGEMM_DOOMED_hang)}) + " --isolate --point-timeout 2 --output " + out_);
  EXPECT_EQ(ran.code, 1) << ran.text;
  EXPECT_THAT(reason(0), HasSubstr("ran longer than 2 s (--point-timeout)"));
}

TEST_F(SweepCli, AKilledSweepGoesOn) {
  const std::string arguments =
      "run " + plan({"seq-len = 4", library(NONGEMM_DOOMED_kill), "seq-len = [8, 16]"}) + " --output " + out_;
  EXPECT_EQ(run(arguments, "sh -c 'exec \"$@\"' - ").code, 128 + 9);
  EXPECT_FALSE(fs::exists(out_ + "/report.json"));
  EXPECT_EQ(lines_of(out_ + "/journal.jsonl"), 2);
  const Outcome report_of_it = run("report " + out_ + "/journal.jsonl --details");
  EXPECT_EQ(report_of_it.code, 0);
  EXPECT_THAT(report_of_it.text, AllOf(HasSubstr("sequence=4"), Not(HasSubstr("sequence=8"))));
  // What was measured is not thrown away by the same command without --resume.
  const Outcome anew = run(arguments);
  EXPECT_EQ(anew.code, 2);
  EXPECT_THAT(anew.text, AllOf(HasSubstr("holds 1 of the 4 points"), HasSubstr("--resume")));
  const Outcome resumed = run(arguments + " --resume --isolate");
  EXPECT_EQ(resumed.code, 1) << resumed.text;
  EXPECT_THAT(statuses(), ElementsAre("ok", "failed", "ok", "ok"));
  // Two sessions, four points, each once.
  EXPECT_EQ(lines_of(out_ + "/journal.jsonl"), 6);
  EXPECT_EQ(run(arguments + " --resume").code, 1);
  EXPECT_EQ(lines_of(out_ + "/journal.jsonl"), 6);
}

TEST_F(SweepCli, AllPointsStandInOneTable) {
  const std::string arguments = "run " + plan({"seq-len = [4, 8]\nbatch = [1, 2]"});
  const Outcome rows = run(arguments + " --output " + out_ + " --format md,html");
  ASSERT_EQ(rows.code, 0) << rows.text;
  EXPECT_THAT(rows.text, AllOf(HasSubstr("4 points"), HasSubstr("All points"), HasSubstr("Latency (median)"),
                               HasSubstr("flow=torch"), Not(HasSubstr("Top operators"))));
  EXPECT_LT(std::count(rows.text.begin(), rows.text.end(), '\n'), 20);
  for (const char* name : {"/report.md", "/report.html"}) {
    std::stringstream text;
    text << std::ifstream(out_ + name).rdbuf();
    EXPECT_THAT(text.str(), AllOf(HasSubstr("All points"), HasSubstr("Top operators"))) << name;
  }
  EXPECT_EQ(report()["points"].size(), 4U);
  EXPECT_THAT(run("report " + out_ + "/report.json --details").text,
              AllOf(HasSubstr("Top operators"), Not(HasSubstr("All points"))));
}

TEST_F(SweepCli, SeveralProcessesMeasureAPoint) {
  const Outcome ran = run("run " + plan({"seq-len = [4, 8]"}) + " --processes 2 --output " + out_);
  ASSERT_EQ(ran.code, 0) << ran.text;
  const nlohmann::json points = report()["points"];
  ASSERT_EQ(points.size(), 4U);
  EXPECT_EQ(points[0]["key"], points[2]["key"]);
  EXPECT_EQ(points[0]["process"], 1);
  EXPECT_EQ(points[2]["process"], 2);
  EXPECT_THAT(ran.text, AllOf(HasSubstr("2 points"), HasSubstr("Processes")));
}

TEST_F(SweepCli, APointIsChosenByItsKey) {
  const std::string sweep = plan({"seq-len = [4, 8]", "seq-len = 4"});
  const Outcome list = run("run " + sweep + " --list");
  // What two parts of a plan have in common is one point.
  ASSERT_EQ(std::count(list.text.begin(), list.text.end(), '\n'), 2) << list.text;
  const std::string key = list.text.substr(0, 16);
  EXPECT_EQ(run("run " + sweep + " --point " + key + " --output " + out_).code, 0);
  ASSERT_EQ(report()["points"].size(), 1U);
  EXPECT_EQ(report()["points"][0]["key"], key);
  const Outcome unknown = run("run " + sweep + " --point " + key.substr(1) + "0");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.text, HasSubstr("no point of the sweep has the key"));
}

TEST_F(SweepCli, OptionsWithoutEffectAreRefused) {
  EXPECT_THAT(run("run gpt2 --resume").text, HasSubstr("--resume has no journal"));
  EXPECT_THAT(run("run gpt2 --point-timeout 3").text, HasSubstr("add --isolate"));
}

}  // namespace
}  // namespace nongemm
