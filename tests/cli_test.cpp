// The program as users meet it: exit codes, messages, files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cli_program.h"
#include "test_paths.h"

namespace nongemm {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class Cli : public ProgramTest {
 protected:
  /// A GPT-2 small enough to run in milliseconds.
  std::string small_model(const std::string& config = R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16,
                                                          "n_embd": 8, "n_layer": 1, "n_head": 2})") {
    write("model/config.json", config);
    return (folder_ / "model").string();
  }
};

TEST_F(Cli, UnknownNamesGetTheNearestOnes) {
  EXPECT_THAT(run("run gtp2").text, HasSubstr("did you mean 'gpt2'"));
  EXPECT_EQ(run("run gtp2").code, 2);
  EXPECT_THAT(run("run gpt2 --bach 2").text, HasSubstr("did you mean '--batch'"));
  EXPECT_THAT(run("run gpt2 --flow troch").text, HasSubstr("did you mean 'torch'"));
  EXPECT_THAT(run("run gpt2 --dtype fp31").text, HasSubstr("fp32"));
  EXPECT_THAT(run("run gpt2 --device cuad").text, HasSubstr("cuda"));
  EXPECT_THAT(run("run gpt2 --attention spda").text, HasSubstr("sdpa"));
  EXPECT_THAT(run("inspect gpt2 --format jsn").text, HasSubstr("json"));
  EXPECT_EQ(run("frobnicate").code, 2);
  EXPECT_EQ(run("").code, 2);
}

TEST_F(Cli, PrintsTheReportsThatAreAskedFor) {
  const std::string model = small_model();
  const std::string summary = run("run " + model + " --iterations 1 --no-limits").text;
  EXPECT_THAT(summary, AllOf(HasSubstr("Top operators"), Not(HasSubstr("Workload"))));
  const std::string asked = run("run " + model + " --iterations 1 --no-limits --report workload,nongemm").text;
  EXPECT_THAT(asked, AllOf(HasSubstr("Workload"), HasSubstr("Non-GEMM variants"), Not(HasSubstr("Top operators"))));
  EXPECT_THAT(run("inspect " + model + " --report wrokload").text, HasSubstr("did you mean 'workload'"));
}

TEST_F(Cli, ImpossibleValuesAreNamed) {
  EXPECT_THAT(run("run gpt2 --batch 0").text, HasSubstr("--batch 0"));
  EXPECT_EQ(run("run gpt2 --batch 0").code, 2);
  EXPECT_THAT(run("inspect gpt2 --seq-len 4096").text, AllOf(HasSubstr("4096"), HasSubstr("1024 positions")));
  EXPECT_THAT(run("inspect vit-b --image-size 12x").text, HasSubstr("12x"));
  EXPECT_THAT(run("run gpt2 --iterations 0").text, HasSubstr("--iterations"));
  EXPECT_THAT(run("inspect segformer --image-size 0").text, HasSubstr("image size '0'"));
  EXPECT_THAT(run("run gpt2 --max-seconds nan").text, HasSubstr("nan not in range"));
  EXPECT_THAT(run("run gpt2 --batch 99999999999999999999").text, HasSubstr("not in range 1 to 1,000,000,000"));
  EXPECT_THAT(run("run gpt2 --batch 1,,2").text, HasSubstr("--batch 1,,2 has an empty value"));
  EXPECT_THAT(run("run gpt2 --batch 1,1").text, HasSubstr("--batch has the value 1 twice"));
  EXPECT_THAT(run("run gpt2 --output ''").text, HasSubstr("--output has an empty value"));
  EXPECT_THAT(run("run gpt2 --set ort.levl=none").text, AllOf(HasSubstr("'ort.levl'"), HasSubstr("ort.level")));
  EXPECT_THAT(run("run gpt2 --set ort.level").text, HasSubstr("gives no value"));
}

TEST_F(Cli, InputsThatTheModelDoesNotTakeAreNamed) {
  const std::string numerics = NONGEMM_SHARED_DIR "/fixtures/numerics/";
  const Outcome outcome = run("run " + numerics + "gpt2 --iterations 1 --no-limits --seq-len 4 --inputs " + numerics +
                              "vit/inputs.safetensors");
  EXPECT_EQ(outcome.code, 3) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("bad-input"), HasSubstr("'0' is no input"), HasSubstr("input_ids")));
}

TEST_F(Cli, ExportsModels) {
  const std::string file = (folder_ / "model.onnx").string();
  const Outcome outcome = run("export segformer " + file + " --image-size 64");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("model.onnx"), HasSubstr("opset 17")));
  EXPECT_GT(fs::file_size(file), 1000U);
  EXPECT_FALSE(fs::exists(file + ".data"));
}

TEST_F(Cli, WhatCannotBeExportedIsNamed) {
  const std::string file = (folder_ / "model.onnx").string();
  EXPECT_THAT(run("export gtp2 " + file).text, HasSubstr("did you mean 'gpt2'"));
  EXPECT_THAT(run("export gpt2").text, HasSubstr("FILE"));
  EXPECT_THAT(run("export gpt2 " + file + " --opset 12").text, HasSubstr("13 to 20"));
  EXPECT_EQ(run("export gpt2 " + file + " --opset 12").code, 2);
  EXPECT_THAT(run("export gpt2 " + file + " --batch 1,2").text, HasSubstr("a file holds one"));
  EXPECT_THAT(run("export gpt2 " + file + " --weights " + (folder_ / "none").string()).text, HasSubstr("none"));
  EXPECT_FALSE(fs::exists(file));
  EXPECT_THAT(run("export segformer " + (folder_ / "no/model.onnx").string()).text, HasSubstr("create its folder"));
  EXPECT_THAT(run("export segformer " + folder_.string()).text, HasSubstr("directory"));
  const Outcome full = run("export segformer /dev/full");
  EXPECT_THAT(full.text, AllOf(HasSubstr("/dev/full"), HasSubstr("No space left")));
  EXPECT_EQ(full.code, 1);
}

TEST_F(Cli, ALibraryThatIsNotTorchvisionsIsRefusedByName) {
  const std::string library = write("_C.so", "no library");
  const Outcome outcome = run("run " NONGEMM_SHARED_DIR "/fixtures/numerics/maskrcnn --iterations 1",
                              "NONGEMM_TORCHVISION=" + library + " ");
  EXPECT_EQ(outcome.code, 4);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("torchvision's operators cannot be loaded from"), HasSubstr(library)));
}

TEST_F(Cli, ModulesOfAnotherBuildAreRefusedByName) {
  const fs::path module = folder_ / "libnongemm_flow_torch.so";
  const std::string command = "run " + small_model() + " --iterations 1 --no-limits";
  const std::string modules = "NONGEMM_MODULES=" + folder_.string() + " ";
  EXPECT_THAT(run(command, modules).text, AllOf(HasSubstr("unsupported"), HasSubstr("libnongemm_flow_torch.so")));
  fs::copy_file(NONGEMM_STALE_MODULE, module);
  const Outcome stale = run(command, modules);
  EXPECT_EQ(stale.code, 4);
  EXPECT_THAT(stale.text, AllOf(HasSubstr(module.string() + " was built from other sources"), HasSubstr("build both")));
}

TEST_F(Cli, InputsDecideTheBatch) {
  const Outcome outcome = run("run " + small_model() + " --batch 1,4 --inputs x.safetensors");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("--batch has no effect"), HasSubstr("--inputs decides it")));
}

TEST_F(Cli, DamagedConfigsAreNamed) {
  const auto text = [&](const std::string& config) { return run("inspect " + small_model(config)).text; };
  EXPECT_THAT(text("{"), HasSubstr("config.json is not valid JSON"));
  EXPECT_THAT(text("[1]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(text("{}"), HasSubstr("'model_type' is missing"));
  EXPECT_THAT(text(R"({"model_type": "gtp2"})"), HasSubstr("did you mean 'gpt2'"));
  EXPECT_THAT(text(R"({"model_type": "gpt2", "n_head": "four"})"), HasSubstr("'n_head' is not an integer"));
  EXPECT_THAT(text(R"({"model_type": "gpt2", "n_head": 0})"), HasSubstr("'n_head' is 0"));
  EXPECT_THAT(text(R"({"model_type": "gpt2", "n_head": 7})"), HasSubstr("does not divide"));
  EXPECT_THAT(text(R"({"model_type": "gpt2", "activation_function": "gleu"})"), HasSubstr("did you mean 'gelu'"));
}

TEST_F(Cli, RunWritesAReportThatCanBeReadAgain) {
  const std::string out = (folder_ / "out").string();
  // A config.json alone runs with synthetic weights, and says so; a folder given for its weights must hold some.
  const Outcome drawn = run("run " + small_model() + " --iterations 1 --warmup 0 --no-limits");
  EXPECT_EQ(drawn.code, 0) << drawn.text;
  EXPECT_THAT(drawn.text, HasSubstr("no checkpoint in the folder"));
  const Outcome lacking = run("run gpt2 --weights " + small_model() + " --iterations 1 --warmup 0");
  EXPECT_EQ(lacking.code, 3);
  EXPECT_THAT(lacking.text, HasSubstr("model.safetensors"));

  const Outcome ran =
      run("run vit-b swin-t --image-size 224 --iterations 1 --warmup 0 --output " + out + " --format csv,md");
  ASSERT_EQ(ran.code, 0) << ran.text;
  std::ifstream file(out + "/report.json");
  const nlohmann::json report = nlohmann::json::parse(file);
  EXPECT_EQ(report["schema"], "nongemm-report");
  ASSERT_EQ(report["points"].size(), 2U);
  for (const auto& point : report["points"]) {
    EXPECT_EQ(point["status"], "ok") << point["reason"];
    const auto& performance = point["sections"]["performance"];
    EXPECT_GT(performance["latency"].get<double>(), 0);
    // Parts of the node pass add up to its wall time.
    EXPECT_GE(performance["parts"].get<double>(), 0.98);
    EXPECT_LE(performance["parts"].get<double>(), 1.0 + 1e-9);
    EXPECT_GT(performance["peak_memory"].get<double>(), performance["weight_memory"].get<double>());
    EXPECT_EQ(point["samples"]["latency"].size(), 1U);
  }
  EXPECT_TRUE(fs::exists(out + "/report.csv"));
  const Outcome again = run("report " + out + "/report.json --format md");
  std::stringstream markdown;
  markdown << std::ifstream(out + "/report.md").rdbuf();
  EXPECT_EQ(again.text, markdown.str());
  for (const auto& entry : fs::directory_iterator(out)) {
    EXPECT_THAT(entry.path().filename().string(),
                testing::AnyOf(testing::StartsWith("report."), testing::StrEq("journal.jsonl")))
        << "something half-written is left";
  }
}

TEST_F(Cli, APointThatCannotRunDoesNotEndTheSweep) {
  const std::string out = (folder_ / "out").string();
  // A batch that no machine has the memory for, between two that run.
  const Outcome ran = run("run swin-t --batch 1,100000000 --iterations 1 --warmup 0 --output " + out);
  EXPECT_EQ(ran.code, 1);
  const nlohmann::json report = nlohmann::json::parse(std::ifstream(out + "/report.json"));
  EXPECT_EQ(report["points"][0]["status"], "ok");
  EXPECT_EQ(report["points"][1]["status"], "out-of-memory");
  EXPECT_THAT(report["points"][1]["reason"].get<std::string>(), HasSubstr("GB"));
}

TEST_F(Cli, WithoutACommandHelpIsNamed) {
  const Outcome ran = run("");
  EXPECT_EQ(ran.code, 2);
  EXPECT_THAT(ran.text, AllOf(HasSubstr("no command is given"), HasSubstr("nongemm --help"), Not(HasSubstr("mean"))));
}

TEST_F(Cli, APlanIsASweep) {
  const std::string plan = write(
      "plan.toml", "model = '" + small_model() + "'\niterations = 1\nwarmup = 0\nno-limits = true\nseq-len = [4, 8]\n");
  const std::string out = (folder_ / "out").string();
  const Outcome ran = run("run " + plan + " --batch 2 --output " + out);
  EXPECT_EQ(ran.code, 0) << ran.text;
  const nlohmann::json report = nlohmann::json::parse(std::ifstream(out + "/report.json"));
  ASSERT_EQ(report["points"].size(), 2U);
  EXPECT_EQ(report["points"][0]["specification"]["seq-len"], 4);
  EXPECT_EQ(report["points"][1]["specification"]["seq-len"], 8);
  EXPECT_EQ(report["points"][1]["specification"]["batch"], 2);
  EXPECT_NE(report["points"][0]["key"], report["points"][1]["key"]);
  const Outcome wrong = run("run " + write("bad.toml", "model = 'gpt2'\nbach = 1\n"));
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.text, AllOf(HasSubstr("bad.toml:2:"), HasSubstr("did you mean 'batch'")));
  // What stands above all sweeps has to have an effect in one of them, what stands in a sweep there.
  const std::string sweeps = "model = 'gpt2'\ntf32 = 'on'\n[[sweep]]\n[[sweep]]\n";
  EXPECT_EQ(run("run --list " + write("sweeps.toml", sweeps + "device = 'cuda'\n")).code, 0);
  const Outcome nowhere = run("run --list " + write("sweeps.toml", sweeps + "batch = 2\n"));
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_THAT(nowhere.text, HasSubstr("sweeps.toml, sweep 1: --tf32 has no effect"));
  // The command that a point records makes the point again.
  const std::string command = report["points"][1]["command"];
  ASSERT_TRUE(command.starts_with("nongemm ")) << command;
  EXPECT_EQ(run(command.substr(8) + " --output " + out).code, 0);
  const nlohmann::json again = nlohmann::json::parse(std::ifstream(out + "/report.json"));
  EXPECT_EQ(again["points"][0]["key"], report["points"][1]["key"]);
}

TEST_F(Cli, SaysWhatWasFound) {
  const Outcome version = run("--version", "NONGEMM_ORT=/nowhere ");
  EXPECT_EQ(version.code, 0) << version.text;
  EXPECT_THAT(version.text,
              AllOf(HasSubstr("nongemm 0.1.0 ("), HasSubstr("PyTorch (LibTorch)"), HasSubstr("ONNX Runtime"),
                    HasSubstr("not found: "), HasSubstr("/nowhere"), HasSubstr("TensorRT"), HasSubstr("CUDA")));
  const Outcome devices = run("list devices", "XDG_CACHE_HOME=" + folder_.string() + " ");
  EXPECT_EQ(devices.code, 0) << devices.text;
  EXPECT_THAT(devices.text, AllOf(HasSubstr("cpu"), HasSubstr("cores"),
                                  HasSubstr("limits are measured by the first run"), Not(HasSubstr("PyTorch"))));
}

TEST_F(Cli, AnOutputFolderThatCannotBeWrittenIsNamedBeforeTheRun) {
  const std::string file = write("file", "x");
  const Outcome outcome = run("run gpt2 --output " + file + "/sub");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("cannot be written"), HasSubstr(file)));
}

TEST_F(Cli, AFullDiskLeavesNothingHalfWritten) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  for (const char* command : {"inspect gpt2", "inspect gpt2 --stream", "inspect gpt2 --graph", "list models"}) {
    EXPECT_NE(run(std::string(command) + " > /dev/full").code, 0) << command;
  }
}

TEST_F(Cli, AnInterruptKeepsWhatWasMeasured) {
  const std::string out = (folder_ / "out").string();
  // A tiny model: it measures after a second at most, and would go on for minutes. GNU timeout sends two signals at
  // once.
  const Outcome outcome =
      run("run " NONGEMM_SHARED_DIR "/fixtures/numerics/gpt2 --warmup 1 --iterations 1000000 --output " + out,
          "timeout -s INT 10 ");
  const nlohmann::json report = nlohmann::json::parse(std::ifstream(out + "/report.json"), nullptr, false);
  ASSERT_FALSE(report.is_discarded()) << outcome.text;
  EXPECT_EQ(report["points"][0]["status"], "incomplete");
  EXPECT_GT(report["points"][0]["samples"]["latency"].size(), 0U);
}

TEST_F(Cli, ReportsOfOtherProgramsAreRefused) {
  EXPECT_EQ(run("report " + write("a.json", "{}")).code, 3);
  EXPECT_THAT(run("report " + write("b.json", R"({"schema": "nongemm-report", "version": 99, "points": []})")).text,
              HasSubstr("version 99"));
  EXPECT_THAT(run("report " + (folder_ / "none.json").string()).text, HasSubstr("none.json"));
}

TEST_F(Cli, VerifyTellsHowFarOutputsAre) {
  const std::string fixtures = NONGEMM_SHARED_DIR "/fixtures/numerics";
  ASSERT_TRUE(fs::exists(fixtures)) << fixtures << " is missing: tests need the shared fixtures";
  EXPECT_EQ(run("verify " + fixtures + "/gpt2").code, 0);
  EXPECT_EQ(run("verify " + fixtures + "/gpt2 --tolerance 1e-9").code, 1);
  EXPECT_THAT(run("verify " + fixtures + "/gpt2 --against torch").text, HasSubstr("compares the flow with itself"));
  // A damaged checkpoint: cut in half.
  const fs::path copy = folder_ / "cut";
  fs::copy(fixtures + "/gpt2", copy);
  fs::permissions(copy / "model.safetensors", fs::perms::owner_all);
  fs::resize_file(copy / "model.safetensors", fs::file_size(copy / "model.safetensors") / 2);
  const Outcome outcome = run("verify " + copy.string());
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.text, HasSubstr("model.safetensors"));
}

#ifdef NONGEMM_HAS_ORT
TEST_F(Cli, FlowsRunSideBySide) {
  const std::string model = small_model();
  const Outcome both =
      run("run " + model + " --flow torch,ort --check --iterations 3 --warmup 1 --no-limits --details");
  EXPECT_EQ(both.code, 0) << both.text;
  EXPECT_THAT(both.text, AllOf(HasSubstr("Flows side by side"), HasSubstr("Fusion rate"),
                               HasSubstr("Non-GEMM time, torch"), HasSubstr("Outputs against the torch flow")));
  const Outcome level = run("run " + model + " --flow ort --set ort.level=none --iterations 3 --warmup 1 --no-limits");
  EXPECT_EQ(level.code, 0) << level.text;
  EXPECT_EQ(run("run " + model + " --flow ort --set ort.level=most").code, 2);
  EXPECT_THAT(run("run " + model + " --set ort.level=none").text, HasSubstr("the ort flow is not run"));
}

TEST_F(Cli, AnOnnxFileRunsAsItIsWhateverItHolds) {
  const std::string model = NONGEMM_SOURCE_DIR "/tests/data/import_ort/unmapped/model.onnx";
  const Outcome both =
      run("run " + model + " --flow torch,ort --check --iterations 3 --warmup 1 --no-limits --details");
  EXPECT_EQ(both.code, 0) << both.text;
  EXPECT_THAT(both.text, AllOf(HasSubstr("unsupported"), HasSubstr("onnx.LSTM.default"), HasSubstr("Fusion rate"),
                               HasSubstr("not compared with PyTorch")));
  const Outcome inspected = run("inspect " + model + " --report workload");
  EXPECT_THAT(inspected.text, AllOf(HasSubstr("onnx.LSTM.default"), HasSubstr("aten.softmax.int")));
}

TEST_F(Cli, ARuntimeThatIsNotThereIsARowWithTheWayOut) {
  const std::string command = "run " + small_model() + " --flow ort --iterations 3 --no-limits";
  const Outcome missing = run(command, "NONGEMM_ORT=/nowhere ");
  EXPECT_NE(missing.code, 0);
  EXPECT_THAT(missing.text, AllOf(HasSubstr("unsupported"), HasSubstr("/nowhere")));
  EXPECT_THAT(run("list flows", "NONGEMM_ORT=/nowhere ").text, HasSubstr("not available"));
  // A library, but not this one.
  write("lib/libonnxruntime.so.1", "");
  EXPECT_THAT(run(command, "NONGEMM_ORT=" + folder_.string() + " ").text, HasSubstr("unsupported"));
  const Outcome old = run(command, "NONGEMM_ORT=" NONGEMM_OLD_ORT " ");
  EXPECT_THAT(old.text, AllOf(HasSubstr("unsupported"), HasSubstr("1.16.3 is too old"), HasSubstr("NONGEMM_ORT")));
  EXPECT_THAT(run(command + " --device cuda").text, HasSubstr("built without CUDA"));
}
#endif

TEST_F(Cli, InspectShowsTheOperatorsOfADevice) {
  const auto suppressions = [](const std::string& device) {
    const std::string text = run("inspect fasterrcnn --stream" + device).text;
    std::size_t count = 0;
    for (std::size_t at = text.find("::nms"); at != std::string::npos; at = text.find("::nms", at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(suppressions(""), 2U);  // of proposals and of detections
  EXPECT_EQ(suppressions(" --device cuda"), 2U);
  EXPECT_EQ(suppressions(" --device cpu"), 6U);  // of the proposals of each of five levels
  EXPECT_EQ(run("inspect fasterrcnn --device tpu").code, 2);
}

TEST_F(Cli, InspectStreamPrintsJsonLines) {
  const Outcome outcome = run("inspect gpt2 --seq-len 8 --stream");
  ASSERT_EQ(outcome.code, 0);
  std::istringstream lines(outcome.text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const nlohmann::json entry = nlohmann::json::parse(line);
    ASSERT_EQ(entry.size(), 3U);
    EXPECT_TRUE(entry[0].get<std::string>().starts_with("aten::"));
    EXPECT_TRUE(entry[1].is_array());
  }
  EXPECT_GT(count, 400);
}

}  // namespace
}  // namespace nongemm
