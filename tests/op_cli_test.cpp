// nongemm op as users meet it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "cli_program.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Enough to see that figures are there; what they are worth is no matter of tests.
const std::string kQuick = " --iterations 2 --warmup 0 --no-limits";

class OpCli : public ProgramTest {
 protected:
  nlohmann::json report_of(const std::string& arguments, int code = 0) {
    const std::string out = (folder_ / "out").string();
    const Outcome outcome = run("op " + arguments + kQuick + " --output " + out);
    EXPECT_EQ(outcome.code, code) << outcome.text;
    std::ifstream file(out + "/report.json");
    return nlohmann::json::parse(file);
  }
  std::string small_model() {
    write("my model/config.json", R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16,
                                   "n_embd": 8, "n_layer": 2, "n_head": 2})");
    return (folder_ / "my model").string();  // what a shell has to be told
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_F(OpCli, AValueGivenTwiceIsRefused) {
  for (const std::string words : {"--dtype fp32,fp32", "--layout contiguous,contiguous", "--values ones,ones"}) {
    const Outcome twice = run("op relu --shape 4 --list " + words);
    EXPECT_EQ(twice.code, 2) << words;
    EXPECT_THAT(twice.text, HasSubstr(words.substr(0, words.find(' ')) + " has the value")) << words;
  }
  EXPECT_EQ(run("op relu --shape '{64,64}x64' --list").code, 2);
  EXPECT_THAT(run("op softmax --shape 4x4 --arg dim=0 --arg dim=1 --list").text, HasSubstr("two values for dim"));
}

TEST_F(OpCli, NoneIsAnAbsentTensor) {
  const nlohmann::json index = report_of("index --shape 4x4 --shape none --shape 3");
  EXPECT_EQ(index["points"][0]["status"], "ok");
  // The recorded command makes the same call again.
  const std::string command = index["points"][0]["command"];
  EXPECT_THAT(command, HasSubstr("none"));
  EXPECT_EQ(run(command.substr(command.find(' ') + 1) + " --list").code, 0) << command;
  EXPECT_EQ(report_of("layer_norm --shape 2x8 --shape none")["points"][0]["status"], "ok");
  const Outcome needed = run("op relu --shape none --list");
  EXPECT_EQ(needed.code, 2);
  EXPECT_THAT(needed.text, HasSubstr("'self' cannot be none"));
}

TEST_F(OpCli, OneOperatorIsOnePoint) {
  const nlohmann::json report = report_of("layer_norm --shape 1x16x64 --dtype bf16 --arg eps=1e-12");
  ASSERT_EQ(report["points"].size(), 1U);
  const nlohmann::json& point = report["points"][0];
  EXPECT_EQ(point["status"], "ok");
  EXPECT_EQ(point["settings"]["operator"], "aten.layer_norm.default");
  EXPECT_EQ(point["settings"]["shapes"], "[1, 16, 64] x [64] x [64]");
  EXPECT_EQ(point["settings"]["dtype"], "bf16");
  EXPECT_THAT(point["command"].get<std::string>(),
              HasSubstr("nongemm op layer_norm --shape 1x16x64 --dtype bf16 --arg eps=1e-12"));
  const nlohmann::json& figures = point["sections"]["op"];
  EXPECT_GT(figures["time"].get<double>(), 0);
  EXPECT_EQ(figures["samples"], 2);
  EXPECT_EQ(figures["bytes"], (2 * 16 * 64 + 2 * 64) * 2);
  EXPECT_EQ(figures["group"], "Normalization");
  EXPECT_TRUE(figures["in_model"].is_null());
  EXPECT_EQ(point["samples"]["call"].size(), 2U);
}

TEST_F(OpCli, SweepsMultiplyAndAFailedPointEndsNothing) {
  const nlohmann::json report =
      report_of("softmax --shape '{2,4}x8' --dtype fp32,int64 --layout contiguous,transposed", 1);
  ASSERT_EQ(report["points"].size(), 8U);
  int failed = 0;
  for (const nlohmann::json& point : report["points"]) {
    const bool integers = point["settings"]["dtype"] == "int64";
    EXPECT_EQ(point["status"] == "ok", !integers) << point.dump();
    failed += point["status"] == "failed" ? 1 : 0;
    EXPECT_THAT(point["reason"].get<std::string>(), HasSubstr(integers ? "softmax" : ""));
  }
  EXPECT_EQ(failed, 4);
  // Rows for people: what all points share stands above them, why some failed below it.
  const Outcome table = run("op softmax --shape '{2,4}x8' --dtype fp32,int64" + kQuick);
  EXPECT_EQ(table.code, 1);
  EXPECT_THAT(table.text,
              AllOf(HasSubstr("dim=-1"), HasSubstr("[4, 8]"), HasSubstr("Status"), HasSubstr("not implemented")));
  const Outcome csv = run("op softmax --shape '{2,4}x8'" + kQuick + " --format csv");
  EXPECT_THAT(csv.text, AllOf(HasSubstr("section,operator,shapes"), HasSubstr("\"[4, 8]\"")));
  EXPECT_THAT(run("op softmax --shape '{2,4}x8'" + kQuick + " --format md").text, HasSubstr("| Shapes | Time |"));
  EXPECT_THAT(run("op softmax --shape '{2,4}x8'" + kQuick + " --format html").text, HasSubstr("[4, 8]"));
}

TEST_F(OpCli, SeveralOperatorsAreSeveralPoints) {
  const nlohmann::json report = report_of("relu gelu --shape '{2,4}x8' --dtype fp32,bf16");
  ASSERT_EQ(report["points"].size(), 8U);
  std::set<std::string> commands;
  for (const nlohmann::json& point : report["points"]) {
    EXPECT_EQ(point["status"], "ok") << point.dump();
    EXPECT_EQ(point["specification"]["operator"].size(), 1U);
    commands.insert(point["command"]);
  }
  EXPECT_EQ(commands.size(), 8U);
  EXPECT_EQ(report["points"][4]["settings"]["operator"], "aten.gelu.default");
  EXPECT_EQ(run("op relu gleu --shape 2x2").code, 2);
}

TEST_F(OpCli, WhatIsWrongIsNamedWithTheWayOut) {
  const auto refused = [&](const std::string& arguments) {
    const Outcome outcome = run("op " + arguments);
    EXPECT_EQ(outcome.code, 2) << arguments << ": " << outcome.text;
    return outcome.text;
  };
  EXPECT_THAT(refused(""), HasSubstr("no operator is named"));
  EXPECT_THAT(refused("layer_nrom --shape 2x2"), HasSubstr("did you mean 'layer_norm'"));
  EXPECT_THAT(refused("layer_norm"), AllOf(HasSubstr("no shape is given"), HasSubstr("aten::layer_norm(Tensor input")));
  EXPECT_THAT(refused("layer_norm --shape 2x"), HasSubstr("shape '2x'"));
  EXPECT_THAT(refused("embedding --shape 4x4"), AllOf(HasSubstr("'indices'"), HasSubstr("--shape indices=")));
  EXPECT_THAT(refused("softmax --shape 2x4 --shape dim=2"), HasSubstr("'dim'"));
  EXPECT_THAT(refused("softmax --shape 4x4 --arg dmi=1"), HasSubstr("did you mean 'dim'"));
  EXPECT_THAT(refused("softmax --shape 4x4 --arg dim"), HasSubstr("--arg dim gives nothing"));
  EXPECT_THAT(refused("relu --shape 4x4 --dtype fp33"), HasSubstr("fp32"));
  EXPECT_THAT(refused("relu --shape 4x4 --values noraml"), HasSubstr("did you mean 'normal'"));
  EXPECT_THAT(refused("relu --shape 4x4 --cache warm"), HasSubstr("warm"));
  EXPECT_THAT(refused("relu --shape 4x4 --flow troch"), HasSubstr("did you mean 'torch'"));
  EXPECT_THAT(refused("relu --preset gpt2"), HasSubstr("exclude each other"));
  EXPECT_THAT(refused("--preset gtp2"), HasSubstr("did you mean 'gpt2'"));
  EXPECT_THAT(refused("--preset gpt2 --shape 2x2"), HasSubstr("are for one operator"));
  EXPECT_THAT(refused("relu --shape 2x2 --batch 2"), HasSubstr("--batch has no effect"));
  EXPECT_THAT(run("op --from " + write("none.json", "{}")).text, HasSubstr("none.json"));
  EXPECT_EQ(run("op --from " + (folder_ / "absent.json").string()).code, 1);
  EXPECT_THAT(run("op einsum --shape 2x2 --shape 2x2").text, HasSubstr("--arg equation="));
}

TEST_F(OpCli, EveryRowsCommandMakesItAgain) {
  const Outcome listed = run("op --preset '" + small_model() + "' --list");
  ASSERT_EQ(listed.code, 0) << listed.text;
  const std::vector<std::string> commands = lines_of(listed.text);
  EXPECT_GT(commands.size(), 10U);
  for (const std::string& command : commands) {
    ASSERT_TRUE(command.starts_with("nongemm op ")) << command;
    EXPECT_EQ(run(command.substr(8) + " --list").text, command + "\n");
  }
  // A list of tensors with layouts of their own, a text with characters of the shell.
  EXPECT_THAT(run("op einsum --shape 2x3 --shape 3x2 --arg 'equation=ij,jk->ik' --list").text,
              HasSubstr("'equation=ij,jk->ik'"));
}

TEST_F(OpCli, PresetsHoldModelsAndGroups) {
  const std::string all = run("op --preset all --list").text;
  EXPECT_GT(lines_of(all).size(), 1000U);
  EXPECT_THAT(all, Not(HasSubstr("op linear")));
  for (const std::string& line : lines_of(run("op --preset logit --list").text)) {
    EXPECT_THAT(line, testing::ContainsRegex("softmax|sigmoid"));
  }
  EXPECT_THAT(run("op --preset gpt2 --batch 2 --dtype fp16 --list").text,
              HasSubstr("layer_norm --shape 2x256x768 --dtype fp16"));
}

TEST_F(OpCli, ReplaysAReportBesideItsTimesInTheModel) {
  const std::string model = small_model();
  const std::string out = (folder_ / "run").string();
  const Outcome ran =
      run("run '" + model + "' --seq-len 8 --batch 3 --iterations 3 --warmup 1 --no-limits --output " + out);
  ASSERT_EQ(ran.code, 0) << ran.text;
  const nlohmann::json report = report_of("--from " + out + "/report.json");
  std::set<std::string> keys;
  bool seen = false;
  for (const nlohmann::json& point : report["points"]) {
    ASSERT_EQ(point["status"], "ok") << point.dump();
    const nlohmann::json& figures = point["sections"]["op"];
    EXPECT_GT(figures["in_model"].get<double>(), 0);
    EXPECT_NEAR(figures["in_model_ratio"].get<double>(),
                figures["in_model"].get<double>() / figures["time"].get<double>(),
                1e-6 * figures["in_model_ratio"].get<double>());
    EXPECT_TRUE(keys.insert(point["command"].get<std::string>()).second) << point["command"];
    if (point["settings"]["operator"] != "aten.layer_norm.default") continue;
    seen = true;
    EXPECT_EQ(figures["in_model_calls"], 5);  // two in each of two layers, one at the end
    EXPECT_THAT(point["settings"]["shapes"].get<std::string>(), HasSubstr("[3, 8, 8]"));
    EXPECT_EQ(point["settings"]["model"], model);
  }
  EXPECT_TRUE(seen);
  // Products, too: everything that ran.
  EXPECT_TRUE(std::any_of(report["points"].begin(), report["points"].end(), [](const nlohmann::json& point) {
    return point["settings"]["operator"] == "aten.addmm.default";
  }));
}

TEST_F(OpCli, ReplaysAGraph) {
  const std::string graph = write("graph.json", run("inspect '" + small_model() + "' --graph").text);
  const Outcome listed = run("op --from " + graph + " --list");
  EXPECT_EQ(listed.code, 0) << listed.text;
  EXPECT_THAT(listed.text, AllOf(HasSubstr("layer_norm"), HasSubstr("addmm")));
}

TEST_F(OpCli, WritesWhatGoogleBenchmarksToolsRead) {
  const Outcome outcome =
      run("op softmax --shape '{2,4}x8' --dtype fp32,int64 --iterations 30 --warmup 0 --no-limits "
          "--format google-benchmark 2>/dev/null | cat");
  const nlohmann::json json = nlohmann::json::parse(outcome.text);
  EXPECT_TRUE(json["context"].contains("date") && json["context"]["num_cpus"].is_number());
  std::map<std::string, int> rows;
  int errors = 0;
  for (const nlohmann::json& row : json["benchmarks"]) {
    for (const char* key : {"name", "run_name", "run_type"}) ASSERT_TRUE(row[key].is_string()) << row.dump();
    if (row.value("error_occurred", false)) {
      ++errors;
      EXPECT_TRUE(row["error_message"].is_string());
      continue;
    }
    EXPECT_GT(row["real_time"].get<double>(), 0);
    EXPECT_EQ(row["time_unit"], "ns");
    EXPECT_GT(row["iterations"].get<int>(), 0);
    if (row["run_type"] == "aggregate") {
      const std::string aggregate = row["aggregate_name"];
      EXPECT_EQ(row["name"].get<std::string>(), row["run_name"].get<std::string>() + "_" + aggregate);
      ++rows[aggregate];
    } else {
      EXPECT_EQ(row["name"], row["run_name"]);
      EXPECT_EQ(row["repetition_index"], rows[row["name"]]++);
      EXPECT_EQ(row["repetitions"], 20);
    }
  }
  EXPECT_EQ(errors, 2);
  EXPECT_EQ(rows["median"], 2);
  EXPECT_EQ(rows.size(), 2U + 4U);  // two benchmarks; mean, median, stddev and cv
}

#ifdef NONGEMM_HAS_ORT
TEST_F(OpCli, FlowsStandSideBySide) {
  const nlohmann::json report = report_of("layer_norm --shape 1x16x64 --flow torch,ort --cache hot,cold");
  ASSERT_EQ(report["points"].size(), 4U);
  std::set<std::string> seen;
  for (const nlohmann::json& point : report["points"]) {
    EXPECT_EQ(point["status"], "ok") << point.dump();
    seen.insert(point["settings"]["flow"].get<std::string>() + " " + point["settings"]["cache"].get<std::string>());
  }
  EXPECT_EQ(seen.size(), 4U);
}
#endif

}  // namespace
}  // namespace nongemm
