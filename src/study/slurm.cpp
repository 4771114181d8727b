#include "study/slurm.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "study/journal.h"

namespace nongemm {
namespace {

struct ToolResult {
  int code = 0;
  std::string text;  // both streams
};

ToolResult run_tool(const std::vector<std::string>& words) {
  std::string command;
  for (const std::string& word : words) command += shell_word(word) + " ";
  FILE* pipe = ::popen((command + "2>&1").c_str(), "re");
  if (pipe == nullptr) throw Error(ErrorKind::kFailed, words.front() + " cannot be started");
  ToolResult result;
  std::array<char, 4096> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    result.text.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  while (result.text.ends_with('\n')) result.text.pop_back();
  return result;
}

/// Slurm's answer; its words are the error's where it refuses.
std::string asked(const std::vector<std::string>& words) {
  ToolResult result = run_tool(words);
  constexpr int kNotFound = 127;
  if (result.code == kNotFound) {
    throw Error(ErrorKind::kUnsupported, "there is no Slurm here: " + result.text, "use --launcher local:N");
  }
  if (result.code != 0)
    throw Error(ErrorKind::kFailed, fmt::format("Slurm refuses: {}", result.text), "see --slurm-options");
  return result.text;
}

/// Indices of one array are below this.
std::size_t largest_array() {
  constexpr std::size_t kUsual = 1001;
  std::istringstream lines(asked({"scontrol", "show", "config"}));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("MaxArraySize")) continue;
    const std::size_t digit = line.find_first_of("0123456789");
    if (digit != std::string::npos) return std::max<std::size_t>(2, std::stoull(line.substr(digit)));
  }
  return kUsual;
}

class SlurmSweep {
 public:
  SlurmSweep(const std::vector<SweepPoint>& points, SlurmOptions options)
      : points_(points), options_(std::move(options)), folder_(options_.folder / "slurm") {
    std::filesystem::create_directories(folder_);
    std::ifstream jobs(folder_ / "jobs");
    for (std::string job; jobs >> job;) jobs_.push_back(job);
  }

  void measure(const std::vector<std::size_t>& wanted, const PointEnded& ended, const PointTells& tells,
               const std::function<Point(std::size_t)>& row) {
    for (const std::size_t i : wanted) missing_.insert(i);
    collect(ended);
    wait_for_jobs(ended, tells);
    constexpr int kMostAttempts = 3;
    for (int attempt = 0; attempt < kMostAttempts && !missing_.empty() && !interrupted(); ++attempt) {
      submit();
      wait_for_jobs(ended, tells);
    }
    if (interrupted()) return;
    for (const std::size_t i : std::set<std::size_t>(missing_)) {
      Point point = row(i);
      point.status = {StatusKind::kFailed, "its Slurm tasks left no point" + last_words()};
      ended(i, std::move(point));
    }
  }

 private:
  /// Keys of missing points, packed: a task has points of one model.
  std::vector<std::string> pack() const {
    std::vector<std::string> tasks;
    std::set<std::string> known;
    std::string model;
    std::size_t count = 0;
    for (const std::size_t i : missing_) {
      const SweepPoint& point = points_[i];
      if (!known.insert(point.key).second) continue;
      if (tasks.empty() || point.name != model || count == options_.points_per_task) {
        tasks.emplace_back();
        count = 0;
        model = point.name;
      }
      tasks.back() += (count++ == 0 ? "" : ",") + point.key;
    }
    return tasks;
  }

  /// The script of an array: a task finds its points' keys in the line of the list that its number says.
  std::string script_for(const std::string& list, const std::string& set) const {
    std::string run;
    for (const std::string& word : options_.run) run += " " + shell_word(word);
    const auto path = [](const std::filesystem::path& p) { return shell_word(std::filesystem::absolute(p).string()); };
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    return fmt::format(
        "#!/bin/sh\n"
        "# Made by nongemm run --launcher slurm.\n"
        "cd {} || exit 1\n"
        "number=$(($1 + SLURM_ARRAY_TASK_ID))\n"
        "keys=$(sed -n \"$((number + 1))p\" {})\n"
        "exec {}{} --point \"$keys\" --journal {}/journal.{}-$number.jsonl --resume\n",
        path(std::filesystem::current_path()), path(folder_ / list), shell_word(self), run, path(folder_), set);
  }

  void submit() {
    const std::vector<std::string> tasks = pack();
    // Sets count on from those of earlier calls: each has its own list, script and journals.
    int number = 1;
    while (std::filesystem::exists(folder_ / fmt::format("tasks.{}", number))) ++number;
    const std::string set = std::to_string(number);
    std::string list;
    for (const std::string& task : tasks) list += task + "\n";
    write_file_atomically(folder_ / ("tasks." + set), list);
    write_file_atomically(folder_ / ("job." + set), script_for("tasks." + set, set));
    const std::size_t largest = largest_array();
    for (std::size_t first = 0; first < tasks.size(); first += largest) {
      const std::size_t last = std::min(largest, tasks.size() - first) - 1;
      std::vector<std::string> words = {"sbatch", "--parsable", "--requeue", "--job-name=nongemm"};
      words.push_back(
          fmt::format("--array=0-{}{}", last, options_.at_once > 0 ? fmt::format("%{}", options_.at_once) : ""));
      words.push_back("--output=" + (std::filesystem::absolute(folder_) / ("out." + set + "-%a")).string());
      words.insert(words.end(), options_.job_options.begin(), options_.job_options.end());
      words.push_back((folder_ / ("job." + set)).string());
      words.push_back(std::to_string(first));
      const std::string answer = asked(words);
      jobs_.push_back(answer.substr(0, answer.find(';')));
      std::string all;
      for (const std::string& job : jobs_) all += job + "\n";
      write_file_atomically(folder_ / "jobs", all);
    }
    last_output_ = "out." + set + "-0";
  }

  /// Whether any of the jobs waits or runs. Slurm forgets a job some minutes after its end, and says so as an error.
  bool any_alive() {
    std::erase_if(jobs_, [](const std::string& job) {
      const ToolResult left = run_tool({"squeue", "--noheader", "--name=nongemm", "--jobs", job, "--format=%i"});
      const bool gone = left.code != 0 && left.text.find("Invalid job id") != std::string::npos;
      // A controller that does not answer is asked again: its jobs go on.
      return left.code == 0 ? left.text.empty() : gone;
    });
    return !jobs_.empty();
  }

  void wait_for_jobs(const PointEnded& ended, const PointTells& tells) {
    constexpr std::chrono::milliseconds kPause(500);  // journals are cheap to look at
    constexpr double kAskedEvery = 2.0;               // seconds: Slurm is not
    Stopwatch asked_last;
    for (bool alive = any_alive();;) {
      if (asked_last.seconds() > kAskedEvery) {
        alive = any_alive();
        asked_last.lap();
      }
      collect(ended);
      if (!alive || missing_.empty()) return;
      if (interrupted()) {
        for (const std::string& job : jobs_) run_tool({"scancel", job});
        return;
      }
      tells(*missing_.begin(), fmt::format("{} points wait for Slurm", missing_.size()));
      std::this_thread::sleep_for(kPause);
    }
  }

  /// Takes what tasks have left so far.
  void collect(const PointEnded& ended) {
    std::map<std::pair<std::string, int>, std::size_t> wanted;
    for (const std::size_t i : missing_) wanted[{points_[i].key, points_[i].process}] = i;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("journal.")) continue;
      JournalContent content = read_journal_from(entry.path(), offsets_[name]);
      for (JournalPoint& line : content.points) {
        const auto at = wanted.find({line.point.key, line.point.process});
        if (at == wanted.end() || line.program != program_version()) continue;
        if (line.point.status.kind == StatusKind::kIncomplete) continue;
        missing_.erase(at->second);
        ended(at->second, std::move(line.point));
        wanted.erase(at);
      }
    }
  }

  /// The end of what a task printed.
  std::string last_words() const {
    std::ifstream file(folder_ / last_output_);
    std::string words;
    for (std::string line; std::getline(file, line);) {
      if (!line.empty()) words = line;
    }
    return words.empty() ? "" : "; the last that one printed: " + words;
  }

  const std::vector<SweepPoint>& points_;
  SlurmOptions options_;
  std::filesystem::path folder_;
  std::vector<std::string> jobs_;
  std::set<std::size_t> missing_;
  std::map<std::string, std::uint64_t> offsets_;  // of journals, read so far
  std::string last_output_;
};

}  // namespace

MeasurePoints in_slurm(const std::vector<SweepPoint>& points, std::function<Point(std::size_t i)> row,
                       SlurmOptions options) {
  return [&points, row = std::move(row), options = std::move(options)](
             const std::vector<std::size_t>& wanted, const PointEnded& ended, const PointTells& tells) {
    if (wanted.empty()) return;
    SlurmSweep(points, options).measure(wanted, ended, tells, row);
  };
}

}  // namespace nongemm
