// A disk that is full at every single write of a small sweep, one run for each: nothing that was measured is lost,
// nothing is half-written, and the sweep goes on from there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "cli_program.h"

namespace nongemm {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

std::string content_of(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class FailingDisk : public ProgramTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    write("model/config.json", R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 8,
                                   "n_layer": 1, "n_head": 2})");
    out_ = folder_ / "out";
  }

  /// Two points, in this process.
  std::string sweep() const {
    return "run " + (folder_ / "model").string() + " --seq-len 4,8 --iterations 2 --warmup 0 --no-limits --output " +
           out_.string() + " --format json,md,html";
  }
  std::string with_disk(long fails) const {
    return "NONGEMM_DISK_FOLDER=" + out_.string() + " NONGEMM_DISK_FAILS=" + std::to_string(fails) +
           (GetParam() ? " NONGEMM_DISK_STAYS=1" : "") + " NONGEMM_DISK_COUNT=" + (folder_ / "count").string() +
           " LD_PRELOAD=" NONGEMM_FAILING_DISK " ";
  }
  long calls() const { return std::stol(content_of(folder_ / "count")); }

  void expect_whole_files() const {
    if (!fs::exists(out_)) return;
    for (const auto& entry : fs::directory_iterator(out_)) {
      const std::string name = entry.path().filename().string();
      EXPECT_THAT(name, Not(AnyOf(HasSubstr(".tmp."), HasSubstr("probe"))));
      const std::string content = content_of(entry.path());
      EXPECT_TRUE(name != "report.json" || nlohmann::json::accept(content));
      EXPECT_TRUE(name != "report.html" || content.find("</html>") != std::string::npos);
    }
  }

  fs::path out_;
};

TEST_P(FailingDisk, LosesNothingWhicheverWriteFails) {
  const Outcome fine = run(sweep(), with_disk(0));
  ASSERT_EQ(fine.code, 0) << fine.text;
  const long all = calls();
  ASSERT_GT(all, 10);
  for (long n = 1; n <= all; ++n) {
    SCOPED_TRACE("write " + std::to_string(n) + " of " + std::to_string(all));
    fs::remove_all(out_);
    const Outcome ran = run(sweep(), with_disk(n));
    expect_whole_files();
    // Nothing is begun on a disk that is full already; later, what was measured is told whatever the disk does.
    const bool began = ran.text.find("Latency") != std::string::npos;
    EXPECT_TRUE(began || ran.code == 1) << ran.text;
    EXPECT_TRUE(ran.code == 0 || ran.code == 1) << ran.text;
    EXPECT_TRUE(ran.code == 0 || ran.text.find("No space left on device") != std::string::npos) << ran.text;
    if (ran.code == 0) {
      for (const char* name : {"report.json", "report.md", "report.html"}) EXPECT_TRUE(fs::exists(out_ / name)) << name;
    }
    const Outcome resumed = run(sweep() + " --resume");
    ASSERT_EQ(resumed.code, 0) << resumed.text;
    const auto report = nlohmann::json::parse(content_of(out_ / "report.json"));
    std::set<std::string> keys;
    for (const auto& point : report["points"]) {
      EXPECT_EQ(point["status"], "ok");
      keys.insert(point["key"].get<std::string>());
    }
    EXPECT_EQ(keys.size(), 2U);
    const Outcome read = run("report " + (out_ / "journal.jsonl").string());
    EXPECT_EQ(read.code, 0) << read.text;
  }
}

INSTANTIATE_TEST_SUITE_P(Full, FailingDisk, testing::Bool(),
                         [](const auto& info) { return info.param ? "FromThenOn" : "Once"; });

}  // namespace
}  // namespace nongemm
