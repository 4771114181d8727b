// Nothing that was measured is lost: not by a standard error that cannot be written to, a full disk, or a signal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "cli_program.h"

namespace nongemm {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kProgram = NONGEMM_BINARY_DIR "/bin/nongemm";

std::string read(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

class Trust : public ProgramTest {
 protected:
  std::string small_model() {
    write("model/config.json", R"({"model_type": "gpt2", "vocab_size": 50, "n_positions": 16, "n_embd": 8, "n_layer": 1,
                                   "n_head": 2})");
    return (folder_ / "model").string();
  }
  std::string quick_run() { return "run " + small_model() + " --iterations 1 --warmup 0 --no-limits"; }

  /// A line of shell in which $N is the program. Standard output and error go to files of the test's folder.
  Outcome shell(const std::string& line) {
    const std::string script =
        write("line.sh", "N=" + std::string(kProgram) + "\ncd " + folder_.string() + "\n" + line + "\n");
    const int status = std::system(
        ("bash " + script + " >" + (folder_ / "out.txt").string() + " 2>" + (folder_ / "err.txt").string()).c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read(folder_ / "out.txt")};
  }
  std::string told() const { return read(folder_ / "err.txt"); }
};

TEST_F(Trust, AnErrorNeedsNoStandardError) {
  EXPECT_EQ(shell("$N run nosuch 2>/dev/full").code, 2);
  EXPECT_EQ(shell("$N run nosuch 2>&-").code, 2);
  EXPECT_EQ(shell("$N run nosuch <&- >&- 2>&-").code, 2);
  EXPECT_EQ(shell("$N run nosuch 2> >(true)").code, 2);
}

TEST_F(Trust, AllFormatsAreWrittenWithoutStandardError) {
  for (const char* without : {"2>&-", "2>/dev/full", "<&- 2>&-"}) {
    fs::remove_all(folder_ / "r");
    const Outcome outcome = shell("$N " + quick_run() + " --output r --format csv,md,html " + without);
    EXPECT_EQ(outcome.code, 0) << without;
    EXPECT_THAT(outcome.text, HasSubstr("Performance")) << without;
    EXPECT_THAT(names_in(folder_ / "r"),
                testing::UnorderedElementsAre("report.json", "report.csv", "report.md", "report.html"))
        << without;
    const nlohmann::json report = nlohmann::json::parse(read(folder_ / "r/report.json"), nullptr, false);
    EXPECT_FALSE(report.is_discarded()) << without;
  }
}

TEST_F(Trust, AClosedStandardOutputIsAFailureAndAReaderThatHasEnoughIsNone) {
  EXPECT_EQ(shell("$N list ops >&-").code, 1);
  EXPECT_EQ(shell("set -o pipefail; $N list ops | head -n 1").code, 0);
}

TEST_F(Trust, AFileThatCannotBeWrittenLosesNothingThatWasMeasured) {
  ASSERT_EQ(shell("$N " + quick_run() + " --output r").code, 0);
  const std::string before = read(folder_ / "r/report.json");
  // No file may have more than a kilobyte: as on a full disk, the report fails half-way.
  const Outcome outcome = shell("set -o pipefail; (ulimit -f 1; exec $N " + quick_run() +
                                " --seq-len 4,8 --details --output r --format md) | cat");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("sequence=4"), HasSubstr("sequence=8"), HasSubstr("Performance")));
  EXPECT_THAT(told(), AllOf(HasSubstr("report.json"), HasSubstr("cannot be written")));
  EXPECT_EQ(read(folder_ / "r/report.json"), before);
  EXPECT_THAT(names_in(folder_ / "r"), testing::UnorderedElementsAre("report.json", "journal.jsonl"));
}

TEST_F(Trust, AFolderThatIsRemovedDoesNotEndTheSweep) {
  const Outcome outcome =
      shell("$N run " + small_model() +
            " --seq-len 4,8 --details --warmup 0 --iterations 2000 --max-seconds 2 --no-limits --output r & "
            "P=$!; until [ -d r ]; do sleep 0.02; done; sleep 0.3; rm -r r; wait $P");
  EXPECT_EQ(outcome.code, 1) << told();
  EXPECT_THAT(outcome.text, AllOf(HasSubstr("sequence=4"), HasSubstr("sequence=8")));
  EXPECT_THAT(told(), HasSubstr("report.json"));
  EXPECT_FALSE(fs::exists(folder_ / "r"));
}

/// Starts the program by itself, so that a signal meets it alone.
class Started {
 public:
  Started(const std::string& arguments, const fs::path& folder) {
    std::vector<std::string> words;
    std::istringstream text(arguments);
    for (std::string word; text >> word;) words.push_back(word);
    const std::string output = (folder / "told.txt").string();
    pid_ = fork();
    if (pid_ != 0) return;
    std::vector<char*> argv{const_cast<char*>(kProgram)};
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    setenv("TMPDIR", folder.c_str(), 1);
    setenv("XDG_CACHE_HOME", (folder / "cache").c_str(), 1);
    if (freopen(output.c_str(), "w", stdout) == nullptr || dup2(1, 2) < 0) _exit(99);
    execv(kProgram, argv.data());
    _exit(99);
  }

  void send(int signal) const { kill(pid_, signal); }
  /// The exit code, and how long it took.
  std::pair<int, milliseconds> end() const {
    const auto begin = std::chrono::steady_clock::now();
    int status = 0;
    waitpid(pid_, &status, 0);
    const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), took};
  }

 private:
  pid_t pid_ = 0;
};

template <typename Condition>
bool wait_until(Condition&& condition) {
  for (int i = 0; i < 3000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

/// That a program ended by its signal is told by its code. The time only tells it from one that goes on to its end, and
/// is no measurement: giving 6 GB back took a busy machine more than a second.
constexpr milliseconds kSoon(10'000);

TEST_F(Trust, EverySignalKeepsWhatWasMeasured) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    fs::remove_all(folder_ / "r");
    const Started program("run " + small_model() + " --warmup 1 --iterations 1000000 --max-seconds 60 --output " +
                              (folder_ / "r").string(),
                          folder_);
    ASSERT_TRUE(wait_until([&] { return fs::exists(folder_ / "r"); }));
    std::this_thread::sleep_for(milliseconds(2000));
    program.send(signal);
    const auto [code, took] = program.end();
    EXPECT_EQ(code, 130) << signal;
    EXPECT_LT(took, kSoon) << signal;
    EXPECT_THAT(read(folder_ / "told.txt"), AllOf(HasSubstr("interrupted"), HasSubstr("a second signal")));
    const nlohmann::json report = nlohmann::json::parse(read(folder_ / "r/report.json"), nullptr, false);
    ASSERT_FALSE(report.is_discarded()) << signal;
    EXPECT_EQ(report["points"][0]["status"], "incomplete");
    EXPECT_GT(report["points"][0]["samples"]["latency"].size(), 0U);
  }
}

TEST_F(Trust, ASignalWhileLimitsAreMeasuredKeepsTheRun) {
  const Started program("run " + small_model() + " --warmup 0 --iterations 3 --output " + (folder_ / "r").string(),
                        folder_);
  // Weights of 1 GiB are written and read for the limits: from then on memory is above what the model takes.
  ASSERT_TRUE(wait_until([&] { return fs::exists(folder_ / "r"); }));
  std::this_thread::sleep_for(milliseconds(2500));
  program.send(SIGTERM);
  const auto [code, took] = program.end();
  EXPECT_EQ(code, 130);
  EXPECT_LT(took, kSoon);
  const nlohmann::json report = nlohmann::json::parse(read(folder_ / "r/report.json"), nullptr, false);
  ASSERT_FALSE(report.is_discarded());
  EXPECT_EQ(report["points"][0]["samples"]["latency"].size(), 3U);
  EXPECT_FALSE(fs::exists(folder_ / "cache/nongemm"));
}

TEST_F(Trust, AnExportThatIsEndedLeavesNothing) {
  for (const bool twice : {false, true}) {
    fs::create_directories(folder_ / "e");
    const Started program("export gpt2-xl " + (folder_ / "e/model.onnx").string(), folder_);
    ASSERT_TRUE(wait_until([&] { return !fs::is_empty(folder_ / "e"); }));
    std::this_thread::sleep_for(milliseconds(500));
    program.send(SIGTERM);
    if (twice) {
      std::this_thread::sleep_for(milliseconds(600));
      program.send(SIGTERM);
    }
    const auto [code, took] = program.end();
    EXPECT_EQ(code, 130);
    EXPECT_LT(took, kSoon);
    EXPECT_THAT(names_in(folder_ / "e"), IsEmpty());
  }
}

#ifdef NONGEMM_HAS_ORT
TEST_F(Trust, ASecondSignalRemovesFoldersOfRuntimes) {
  const Started program("run gpt2 --flow ort --warmup 0 --iterations 1 --no-limits", folder_);
  // The runtime is loading the model: the first signal has to wait for it.
  ASSERT_TRUE(wait_until([&] {
    for (const std::string& name : names_in(folder_)) {
      if (name.starts_with("nongemm_")) return true;
    }
    return false;
  }));
  program.send(SIGTERM);
  std::this_thread::sleep_for(milliseconds(600));
  program.send(SIGTERM);
  const auto [code, took] = program.end();
  EXPECT_EQ(code, 130);
  EXPECT_LT(took, kSoon);
  EXPECT_THAT(names_in(folder_), Not(testing::Contains(testing::StartsWith("nongemm_"))));
}
#endif

TEST_F(Trust, RowsThatAreNotOkStandOnStandardErrorToo) {
  write("bad/config.json", R"({"model_type": "gpt2", "n_head": 7})");
  EXPECT_EQ(shell("$N run bad --iterations 1 --no-limits").code, 3);
  EXPECT_THAT(told(), AllOf(HasSubstr("nongemm run bad"), HasSubstr("bad-input"), HasSubstr("does not divide")));
  EXPECT_EQ(shell("$N run gpt2 --flow tensorrt --no-limits").code, 4);
  EXPECT_THAT(told(), HasSubstr("unsupported"));
  EXPECT_EQ(shell("$N run bad swin-t --batch 100000000 --no-limits --iterations 1").code, 1);
  EXPECT_EQ(shell("$N run gpt2 --bach 2").code, 2);
}

TEST_F(Trust, NamesInFilesDoNotSteerTheTerminal) {
  fs::create_directories(folder_ / "a\x1b[31m");
  fs::copy_file(NONGEMM_SHARED_DIR "/fixtures/hostile/e_fbomb.onnx", folder_ / "a\x1b[31m/m.onnx");
  EXPECT_THAT(shell("$N inspect a*/m.onnx").text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(told(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace nongemm
