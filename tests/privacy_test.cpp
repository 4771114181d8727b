// The program and its runtimes leave nothing behind and talk to nobody.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "cli_program.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;

class Privacy : public ProgramTest {
 protected:
  std::string small_model() {
    write("model/config.json", R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 8, "n_layer": 1,
                                   "n_head": 2})");
    return (folder_ / "model").string();
  }
};

/// Sockets of other families than AF_UNIX and AF_NETLINK, which libraries use to ask this machine's own services.
std::vector<std::string> sockets_in(const fs::path& log) {
  std::vector<std::string> found;
  std::ifstream file(log);
  for (std::string line; std::getline(file, line);) {
    if (line.find("socket(AF_INET") != std::string::npos || line.find("connect(") != std::string::npos)
      found.push_back(line);
  }
  return found;
}

TEST_F(Privacy, RuntimesLeaveNoFilesInTheTemporaryFolder) {
  const fs::path empty = folder_ / "tmp";
  fs::create_directories(empty);
  const Outcome outcome = run("run " + small_model() + " --flow torch,ort --iterations 2 --warmup 0 --no-limits",
                              "TMPDIR=" + empty.string() + " ");
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  std::vector<std::string> left;
  for (const auto& entry : fs::recursive_directory_iterator(empty)) left.push_back(entry.path().filename());
  EXPECT_THAT(left, testing::IsEmpty());
}

/// Each subcommand in turn, traced. strace is one of the packages that the set-up installs.
TEST_F(Privacy, NoSubcommandOpensASocket) {
  const std::string model = small_model();
  const std::string out = (folder_ / "out").string();
  const std::string traces = NONGEMM_SOURCE_DIR "/tests/fixtures/traces/tensorrt/";
  const std::string quick = " --iterations 1 --warmup 0 --no-limits";
  for (const std::string& arguments :
       {"run " + model + " --flow torch,ort" + quick + " --output " + out, "inspect " + model,
        "op relu --shape 4x4 --flow torch,ort" + quick, "export " + model + " " + out + "/model.onnx",
        "verify " + model + " --against ort", "report " + out + "/report.json",
        "analyze --tensorrt " + traces + "trt10_profile.json --layers " + traces + "trt10_layers.json",
        std::string("list flows")}) {
    const fs::path log = folder_ / "calls";
    const Outcome outcome = run(arguments, "strace -f -qq -e trace=socket,connect -o " + log.string() + " ");
    ASSERT_TRUE(fs::exists(log)) << outcome.text;
    EXPECT_EQ(outcome.code, 0) << arguments << "\n" << outcome.text;
    EXPECT_THAT(sockets_in(log), testing::IsEmpty()) << arguments;
  }
}

}  // namespace
}  // namespace nongemm
