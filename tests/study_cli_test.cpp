// Studies as users meet them: run, killed and gone on with, made again from what was recorded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli_program.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

/// No GPU is seen, whatever machine this is.
constexpr const char* kNoGpu = "CUDA_VISIBLE_DEVICES= ";

std::string content_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class StudyCli : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("model/config.json", R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 32, "n_embd": 8,
                                   "n_layer": 1, "n_head": 2})");
    out_ = (folder_ / "out").string();
  }
  std::string small() const {
    return "--quick --model " + (folder_ / "model").string() + " --seq-len 4,8 --iterations 2 --warmup 0 ";
  }
  nlohmann::json report() const { return nlohmann::json::parse(content_of(out_ + "/report.json")); }

  std::string out_;
};

TEST_F(StudyCli, ListSaysWhatEachAsks) {
  const Outcome listed = run("study list");
  EXPECT_EQ(listed.code, 0);
  EXPECT_THAT(listed.text,
              AllOf(HasSubstr("acceleration"), HasSubstr("Figure 7 and Table V"), HasSubstr("beyond the paper")));
}

TEST_F(StudyCli, AnUnknownStudyIsWrongUsage) {
  const Outcome ran = run("study acelleration");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.text, HasSubstr("acceleration"));
}

TEST_F(StudyCli, NoEntryOfAListIsDropped) {
  const std::string words = "study acceleration --quick --device cpu --list --model ";
  const Outcome both = run(words + "minilm-l6,swin-t");
  EXPECT_EQ(both.code, 0) << both.text;
  EXPECT_THAT(both.text, AllOf(HasSubstr("nongemm run minilm-l6"), HasSubstr("nongemm run swin-t")));
  const Outcome unknown = run(words + "swin-t,swin-tt");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.text, AllOf(HasSubstr("unknown model 'swin-tt'"), HasSubstr("did you mean 'swin-t'")));
  const Outcome flow = run("study runtimes --flow ort,tensrt --list");
  EXPECT_EQ(flow.code, 2);
  EXPECT_THAT(flow.text, AllOf(HasSubstr("unknown flow 'tensrt'"), HasSubstr("did you mean 'tensorrt'")));
}

TEST_F(StudyCli, WhatWasRecordedOrPlannedIsNotChosenAmong) {
  for (const std::string words : {"--model gpt2", "--quick", "--batch 2", "--device cpu"}) {
    const Outcome ran = run("study acceleration --from nowhere.json " + words);
    EXPECT_EQ(ran.code, 2) << words;
    EXPECT_THAT(ran.text, HasSubstr(words.substr(0, words.find(' ')) + " has no effect: --from"));
  }
  EXPECT_THAT(run("study acceleration --plan nowhere.toml --model gpt2").text, HasSubstr("has no effect: --plan"));
}

TEST_F(StudyCli, WhatAMachineLacksIsARowWithAReason) {
  const Outcome ran = run("study acceleration " + small() + "--output " + out_ + " --format json,md,csv,html", kNoGpu);
  EXPECT_EQ(ran.code, 0) << ran.text;
  std::size_t ok = 0;
  std::size_t missing = 0;
  const nlohmann::json made = report();
  for (const auto& point : made["points"]) {
    if (point["settings"].contains("study")) continue;
    point["status"] == "ok" ? ++ok : ++missing;
    EXPECT_TRUE(point["status"] == "ok" || point["reason"].get<std::string>().find("cuda") != std::string::npos);
  }
  EXPECT_EQ(ok, 2U);
  EXPECT_EQ(missing, 2U);
  EXPECT_THAT(content_of(out_ + "/report.md"),
              AllOf(HasSubstr("Beside the paper"), HasSubstr("17.2 %"), Not(HasSubstr("Operator groups"))));
  EXPECT_THAT(content_of(out_ + "/report.csv"), HasSubstr("study_paper"));
}

TEST_F(StudyCli, TheReportMakesTheSameTablesAgain) {
  // Limits that were measured would be told or not by how steady the host is.
  const std::string unlimited = small() + "--device cpu --no-limits";
  ASSERT_EQ(run("study acceleration " + unlimited + " --output " + out_ + " --format md,html", kNoGpu).code, 0);
  for (const std::string format : {"md", "html"}) {
    const Outcome again = run("study acceleration --from " + out_ + "/report.json --format " + format);
    EXPECT_EQ(again.code, 0);
    EXPECT_EQ(again.text, content_of(out_ + "/report." + format));
  }
  // Another study of the same runs, without running anything.
  const Outcome other = run("study headroom --from " + out_ + "/report.json --format md");
  EXPECT_EQ(other.code, 0);
  EXPECT_THAT(other.text, HasSubstr("no what-if table"));
}

TEST_F(StudyCli, KilledAndGoneOnWithItGivesTheTablesOfItsJournal) {
  const std::string words = "study acceleration " + small() + "--device cpu --batch 1,2,3,4 --output " + out_;
  const std::string journal = out_ + "/journal.jsonl";
  // Killed as soon as a point is there, which may be later on a machine that is busy.
  const std::string begin =
      std::string(kNoGpu) + "sh -c '\"$0\" \"$@\" & child=$!; for i in $(seq 600); do n=$(grep -c point " + journal +
      " 2>/dev/null || true); [ \"${n:-0}\" -ge 3 ] && break; sleep 0.05; done; kill -9 $child; wait $child' ";
  run(words, begin);
  std::map<std::string, double> before;
  std::istringstream lines(content_of(journal));
  for (std::string line; std::getline(lines, line);) {
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    if (parsed.is_discarded() || !parsed["line"].contains("point")) continue;
    const auto& point = parsed["line"]["point"];
    before[point["key"]] = point["sections"]["performance"]["latency"];
  }
  ASSERT_FALSE(before.empty());
  const Outcome resumed = run(words + " --resume --format md", kNoGpu);
  ASSERT_EQ(resumed.code, 0) << resumed.text;
  const nlohmann::json made = report();
  EXPECT_EQ(made["points"].size(), 9U);
  std::size_t kept = 0;
  for (const auto& point : made["points"]) {
    const auto at = before.find(point.value("key", ""));
    if (at == before.end()) continue;
    ++kept;
    EXPECT_EQ(point["sections"]["performance"]["latency"].get<double>(), at->second);
  }
  EXPECT_EQ(kept, before.size());
  const auto tables_of = [](std::string text) { return text.substr(text.find("\n## ")); };
  const Outcome from_journal = run("study acceleration --from " + journal + " --format md");
  EXPECT_EQ(tables_of(from_journal.text), tables_of(content_of(out_ + "/report.md")));
}

TEST_F(StudyCli, ListPrintsCommandsThatRun) {
  const Outcome listed = run("study acceleration " + small() + "--device cpu --list");
  EXPECT_EQ(listed.code, 0);
  EXPECT_THAT(listed.text, AllOf(HasSubstr("nongemm run "), HasSubstr("--seq-len 8")));
}

TEST_F(StudyCli, TakesAPlan) {
  const std::string plan =
      write("plan.toml", "model = '" + (folder_ / "model").string() +
                             "'\nseq-len = [4, 8]\niterations = 2\nwarmup = 0\nno-limits = true\n");
  const Outcome ran = run("study scaling --plan " + plan + " --format md", kNoGpu);
  EXPECT_EQ(ran.code, 0) << ran.text;
  EXPECT_THAT(ran.text, HasSubstr("From length 4 to 8"));
}

TEST_F(StudyCli, IsolatedPointsGiveTheSameRows) {
  const Outcome ran = run("study scaling " + small() + "--isolate --output " + out_, kNoGpu);
  EXPECT_EQ(ran.code, 0) << ran.text;
  for (const auto& point : report()["points"]) EXPECT_EQ(point["status"], "ok");
}

}  // namespace
}  // namespace nongemm
