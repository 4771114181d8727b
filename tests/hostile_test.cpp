// Files that are wrong and options that mean nothing: the right words, the right exit code, and never a crash or a
// hang.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli_program.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const std::string kFixtures = NONGEMM_SHARED_DIR "/fixtures/hostile/";
constexpr const char* kQuick = " --iterations 2 --warmup 0 --no-limits";

class Hostile : public ProgramTest {
 protected:
  std::string small_model(const std::string& name = "model") {
    write(name + "/config.json",
          R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 8, "n_layer": 1,
                                     "n_head": 2})");
    return (folder_ / name).string();
  }
};

/// What every flow says of a file that nothing can run, told before any runtime sees it.
void expect_bad_input(const std::string& file, const std::string& words) {
  for (const std::string flow : {"torch", "ort"}) {
    const Outcome outcome = run("run " + kFixtures + file + " --flow " + flow + kQuick, "timeout 60 ");
    EXPECT_EQ(outcome.code, 3) << file << " " << flow << "\n" << outcome.text;
    EXPECT_THAT(outcome.text,
                AllOf(HasSubstr("bad-input"), HasSubstr(file), HasSubstr(words), Not(HasSubstr("takes the file"))))
        << flow;
  }
  EXPECT_EQ(run("inspect " + kFixtures + file, "timeout 60 ").code, 3) << file;
}

TEST_F(Hostile, OnnxFilesThatNothingCanRunAreBadInputEverywhere) {
  expect_bad_input("e_div0.onnx", "divides by a constant zero");
  expect_bad_input("e_divmin.onnx", "divided by -1 is no number of its type");
  expect_bad_input("e_fbomb.onnx", "nodes when its calls are replaced");
  expect_bad_input("e_loopbig.onnx", "a loop of 4611686018427387904 turns");
  expect_bad_input("e_mismatch.onnx", "do not broadcast");
}

#ifdef NONGEMM_HAS_ORT
TEST_F(Hostile, NodeNamesWithQuotesAreReplacedBeforeTheRuntimeSeesThem) {
  const Outcome outcome = run("run " + kFixtures + "q_quote.onnx --flow ort" + kQuick);
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, HasSubstr("Fusion rate"));
}
#endif

TEST_F(Hostile, AFileOfAnotherKindGetsTheWayOut) {
  const std::string model = small_model();
  const std::string config = model + "/config.json";
  EXPECT_THAT(run("inspect " + config).text,
              AllOf(HasSubstr("is no model"), HasSubstr("name the folder"), HasSubstr(model)));
  EXPECT_EQ(run("inspect " + config).code, 2);
  EXPECT_THAT(run("inspect " + write("w.safetensors", "x")).text, HasSubstr("--weights"));
  EXPECT_THAT(run("inspect " + write("report.json", "{}")).text, HasSubstr("nongemm report"));
  EXPECT_THAT(run("inspect " + write("plan.toml", "")).text, HasSubstr("nongemm run"));
  const Outcome replayed = run("op --from " + config);
  EXPECT_EQ(replayed.code, 3);
  EXPECT_THAT(replayed.text, HasSubstr("neither a report nor a graph"));
}

TEST_F(Hostile, OptionsWithoutEffectAreRefused) {
  const std::string model = small_model();
  const std::string file = kFixtures + "c3.pt2";
  const auto refused = [](const std::string& command) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.code, 2) << command;
    EXPECT_THAT(outcome.text, HasSubstr("no effect")) << command;
  };
  refused("inspect " + model + " --image-size 224");
  refused("run " + model + " --image-size 224");
  refused("export " + model + " " + (folder_ / "x.onnx").string() + " --image-size 224");
  refused("inspect " + file + " --seq-len 9");
  refused("inspect " + file + " --attention eager");
  refused("inspect vit-b --seq-len 4");
  refused("inspect vit-b --detections 4");
  refused("inspect " + model + " --input x=3");
  refused("run " + model + " --check");
  refused("run " + model + " --tf32 on");
  refused("inspect " + model + " --stream --format csv");
  refused("inspect " + model + " --graph --output " + (folder_ / "o").string());
  refused("inspect " + model + " --stream --report workload");
  refused("run " + model + " --set ort.level=none");
  refused("run " + model + " --set quantize.way=fused");
  refused("run " + model + " --point-timeout 5");
  refused("run " + model + " --slurm-options --mem=1G");
  refused("run " + model + " --tasks-at-once 2");
  refused("run " + model + " --batch 2 --inputs " + write("i.safetensors", "x"));
  refused("compare a.json b.json --processes 3");
  refused("compare a.json b.json --budget 30");
  refused("verify " + model + " --dtype fp16");
  refused("op relu --seq-len 4");
  refused("op --from a.json --batch 2");
  refused("op relu --shape 4 --list --format csv");
  // What excludes one another.
  const auto excluded = [](const std::string& command, const char* words) {
    const Outcome outcome = run(command);
    EXPECT_EQ(outcome.code, 2) << command;
    EXPECT_THAT(outcome.text, HasSubstr(words)) << command;
  };
  excluded("inspect " + model + " --stream --graph", "exclude each other");
  excluded("op relu --preset gpt2", "exclude each other");
  excluded("op relu --from a.json", "exclude each other");
  excluded("op --preset gpt2 --shape 2x2", "for one operator");
  excluded("op --from a.json --arg dim=1", "for one operator");
  excluded("op --preset gpt2 --layout transposed", "for one operator");
  excluded("op --preset gpt2 --values zeros", "for one operator");
  excluded("verify " + model + " --against torch", "with itself");
  excluded("run " + model + " --launcher slurm", "needs a folder");
  excluded("compare a.json", "of two reports");
  // One of several models is enough.
  EXPECT_EQ(run("inspect " + model + " vit-b --seq-len 4 --image-size 224").code, 0);
}

TEST_F(Hostile, NumbersOutOfRangeAreToldTheRange) {
  EXPECT_THAT(run("inspect vit-b --image-size 99999999999999999999").text, HasSubstr("not in range 1 to 1,000,000"));
  EXPECT_THAT(run("inspect vit-b --image-size 224x99999999999999999999").text,
              HasSubstr("not in range 1 to 1,000,000"));
  EXPECT_THAT(run("inspect vit-b --image-size -3").text, HasSubstr("not in range 1 to 1,000,000"));
  EXPECT_EQ(run("inspect vit-b --image-size 2000000").code, 2);
}

TEST_F(Hostile, GroupsThatMatchNothingAreTold) {
  const std::string groups =
      write("groups.toml",
            "[[assign]]\noperator = 'aten.*'\ngroup = 'other'\n[[assign]]\noperator = 'mylib.*'\n"
            "group = 'other'\n");
  EXPECT_THAT(run("inspect " + small_model() + " --groups " + groups).text,
              AllOf(HasSubstr("assign 2 (operator 'mylib.*') matches nothing"), Not(HasSubstr("assign 1"))));
}

TEST_F(Hostile, GraphsOfSeveralPointsAreLines) {
  const Outcome outcome = run("inspect " + small_model() + " --graph --seq-len 4,8");
  std::istringstream lines(outcome.text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_EQ(nlohmann::json::parse(line)["schema"], "nongemm-graph");
  }
  EXPECT_EQ(count, 2);
}

TEST_F(Hostile, InspectDoesNotClaimADevice) {
  const std::string text = run("inspect " + small_model()).text;
  EXPECT_THAT(text, AllOf(HasSubstr("operators as on=cuda"), Not(HasSubstr(" device="))));
}

TEST_F(Hostile, PipedTextIsNotCut) {
  EXPECT_THAT(run("inspect " + kFixtures + "m_core.pt2").text,
              AllOf(HasSubstr("aten._native_batch_norm_legit_no_training.default"), Not(HasSubstr("No room here"))));
}

TEST_F(Hostile, ReportsAreReplayedFromAnyFolder) {
  small_model();
  fs::create_directories(folder_ / "elsewhere");
  const std::string program = NONGEMM_BINARY_DIR "/bin/nongemm ";
  const auto in = [&](const std::string& folder, const std::string& arguments) {
    return std::system(
        ("cd " + (folder_ / folder).string() + " && " + program + arguments + " >/dev/null 2>&1").c_str());
  };
  ASSERT_EQ(in(".", "run model" + std::string(kQuick) + " --output r"), 0);
  EXPECT_EQ(in("elsewhere", "op --from ../r/report.json --list"), 0);
}

TEST_F(Hostile, TwoRunsDoNotWriteIntoOneFolder) {
  const std::string out = (folder_ / "r").string();
  const std::string begin = "run " + small_model() + " --warmup 0 --no-limits --output " + out;
  const Outcome outcome =
      run(begin + " --iterations 5000 >/dev/null 2>&1 & until [ -d " + out + " ]; do sleep 0.02; done; " +
          NONGEMM_BINARY_DIR "/bin/nongemm " + begin + " --iterations 1 2>&1; echo second=$?; wait");
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("another run is writing into"), HasSubstr("second=1")));
  EXPECT_EQ(run(begin + " --iterations 1").code, 0) << "the lock went with the first";
}

TEST_F(Hostile, WhatIsDoubtfulIsSaid) {
  const std::string out = (folder_ / "r").string();
  // A single cold inference is far slower than those of the node pass.
  const Outcome outcome = run("run " + small_model() + " --warmup 0 --iterations 1 --output " + out);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.text, HasSubstr("1 iteration: fewer than 10 say little"));
  const nlohmann::json report = nlohmann::json::parse(std::ifstream(out + "/report.json"));
  const nlohmann::json& sections = report["points"][0]["sections"];
  const nlohmann::json& performance = sections["performance"];
  const double plain = performance["latency"];
  const double wall = performance["node_wall"];
  EXPECT_GT(wall, 0);
  const bool apart = plain > 1.3 * wall || wall > 1.3 * plain;
  EXPECT_EQ(performance["caution"].get<std::string>().find("differ") != std::string::npos, apart);
  EXPECT_EQ(sections.contains("what_if"), !apart);
}

TEST_F(Hostile, OperatorsThatAreUnknownMoveTheirOperandsAndNoOneKnowsTheirWork) {
  const Outcome outcome = run("inspect " NONGEMM_SOURCE_DIR "/tests/data/import_ort/unmapped/model.onnx --format json");
  const nlohmann::json report = nlohmann::json::parse(outcome.text);
  for (const auto& row : report["points"][0]["sections"]["workload"]) {
    if (row["operator"] != "onnx.LSTM.default") continue;
    EXPECT_TRUE(row["flops"].is_null());
    EXPECT_EQ(row["bytes"], 936);
  }
}

}  // namespace
}  // namespace nongemm
