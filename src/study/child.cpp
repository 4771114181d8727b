#include "study/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "flows/load.h"

namespace nongemm {
namespace {

[[noreturn]] void cannot(const char* what, int error_number) {
  throw Error(ErrorKind::kFailed,
              fmt::format("a process for a point: {}: {}", what, std::generic_category().message(error_number)),
              "run the sweep without --isolate");
}

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }

  int get() const { return value_; }

 private:
  int value_;
};

/// A file in memory, gone with its last user: nothing remains of a sweep that is killed.
Descriptor file_in_memory(const char* name) {
  Descriptor file(::memfd_create(name, MFD_CLOEXEC));
  if (file.get() < 0) cannot("no file in memory", errno);
  return file;
}

/// @param most from the end
std::string content_of(const Descriptor& file, off_t most) {
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  const off_t begin = std::max<off_t>(0, size - most);
  std::string text(static_cast<std::size_t>(size - begin), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::pread(file.get(), text.data() + done, text.size() - done, begin + static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

/// Lines as one, the last ones; what is no text stays out.
std::string one_line(std::string_view text) {
  constexpr std::size_t kMost = 300;
  std::string line;
  for (const char letter : text) {
    const bool space = static_cast<unsigned char>(letter) <= ' ' || letter == 0x7f;
    if (!space) line += letter;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  while (line.ends_with(' ')) line.pop_back();
  if (line.size() <= kMost) return line;
  std::size_t begin = line.size() - kMost;
  while (begin < line.size() && (static_cast<unsigned char>(line[begin]) & 0xC0U) == 0x80U) ++begin;
  return "..." + line.substr(begin);
}

/// Processes that the kernel has killed for memory since it runs; nothing where it does not tell.
std::optional<long> killed_for_memory() {
  std::ifstream file("/proc/vmstat");
  std::string name;
  for (long value = 0; file >> name >> value;) {
    if (name == "oom_kill") return value;
  }
  return std::nullopt;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> all;
  for (char** row = environ; *row != nullptr; ++row) {
    const std::string_view text = *row;
    const bool replaced = std::any_of(more.begin(), more.end(), [&](const auto& pair) {
      return text.starts_with(pair.first) && text.substr(pair.first.size()).starts_with('=');
    });
    if (!replaced) all.emplace_back(text);
  }
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  return all;
}

struct Child {
  std::size_t index = 0;
  std::size_t slot = 0;
  pid_t process = 0;
  Descriptor end;  // readable when it has ended
  Descriptor journal;
  Descriptor words;
  Descriptor printed;
  Stopwatch clock;
  std::optional<long> killed_before;
  bool timed_out = false;
  bool ended_with_others = false;
};

/// What the child does before it becomes the program: only what is safe after a fork.
[[noreturn]] void become(pid_t parent, int journal, int words, int printed, const char* program, char* const* arguments,
                         char* const* environment) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  // Out of memory, the kernel is to choose this process and not the one that keeps the sweep.
  if (const int score = ::open("/proc/self/oom_score_adj", O_WRONLY); score >= 0) {
    (void)!::write(score, "500", 3);
    ::close(score);
  }
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(printed, STDOUT_FILENO);
  ::dup2(words, STDERR_FILENO);
  ::fcntl(journal, F_SETFD, 0);
  ::execve(program, arguments, environment);
  ::_exit(127);
}

Child start(std::size_t index, std::size_t slot, const ChildTask& task) {
  Child child{.index = index,
              .slot = slot,
              .end = Descriptor(),
              .journal = file_in_memory("journal"),
              .words = file_in_memory("words"),
              .printed = task.keeps_journal ? Descriptor() : file_in_memory("printed"),
              .clock = {},
              .killed_before = killed_for_memory()};
  std::vector<std::string> words{"nongemm"};
  words.insert(words.end(), task.words.begin(), task.words.end());
  if (task.keeps_journal) {
    words.insert(words.end(), {"--journal", fmt::format("/proc/self/fd/{}", child.journal.get())});
  }
  std::vector<std::string> environment = environment_with(task.environment);
  const std::vector<char*> arguments = pointers_to(words);
  const std::vector<char*> variables = pointers_to(environment);
  const pid_t parent = ::getpid();
  child.process = ::fork();
  if (child.process < 0) cannot("none can be started", errno);
  if (child.process == 0) {
    const int printed = task.keeps_journal ? child.words.get() : child.printed.get();
    become(parent, child.journal.get(), child.words.get(), printed, task.program.c_str(), arguments.data(),
           variables.data());
  }
  // Without it (Linux before 5.3) children are looked after now and then.
  child.end = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.process, 0)));
  return child;
}

/// Waits until one of them may have ended, for a second at most.
void wait_for_any(const std::vector<Child>& children, double most_seconds) {
  double seconds = 1.0;
  std::vector<pollfd> ends;
  for (const Child& child : children) {
    ends.push_back({child.end.get(), POLLIN, 0});
    if (child.end.get() < 0) seconds = 0.05;
    if (most_seconds > 0) seconds = std::min(seconds, std::max(0.0, most_seconds - child.clock.seconds()));
  }
  ::poll(ends.data(), ends.size(), static_cast<int>(seconds * 1e3) + 1);
}

/// Nothing while it runs. One that has been at it for too long is killed.
std::optional<ChildEnd> end_of(Child& child, double most_seconds) {
  if (most_seconds > 0 && !child.timed_out && child.clock.seconds() > most_seconds) {
    child.timed_out = ::kill(child.process, SIGKILL) == 0;
  }
  ChildEnd end;
  if (::waitpid(child.process, &end.wait_status, WNOHANG) != child.process) return std::nullopt;
  end.timed_out = child.timed_out;
  const bool killed = WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == SIGKILL;
  end.out_of_memory = killed && child.killed_before && killed_for_memory() > child.killed_before;
  constexpr off_t kMostJournal = off_t{1} << 31;
  end.journal = content_of(child.journal, kMostJournal);
  end.last_words = one_line(content_of(child.words, 4096));
  if (child.printed.get() >= 0) end.printed = content_of(child.printed, off_t{1} << 20);
  end.ended_with_others = child.ended_with_others;
  return end;
}

/// Kills what still runs when a sweep ends early.
struct Children {
  std::vector<Child> running;

  ~Children() {
    for (const Child& child : running) ::kill(child.process, SIGKILL);
    for (const Child& child : running) ::waitpid(child.process, nullptr, 0);
  }
};

/// Ends a job of which one child has failed, once the others have had their time.
class JobEnd {
 public:
  explicit JobEnd(std::optional<double> seconds) : seconds_(seconds) {}

  void note(const ChildEnd& end) {
    if (!seconds_ || failed_ || end.wait_status == 0) return;
    failed_ = true;
    since_ = Stopwatch();
  }
  void end_others(std::vector<Child>& running) const {
    if (!failed_ || since_.seconds() < seconds_.value_or(0)) return;
    for (Child& child : running) {
      if (!child.ended_with_others) child.ended_with_others = ::kill(child.process, SIGKILL) == 0;
    }
  }

 private:
  std::optional<double> seconds_;
  bool failed_ = false;
  Stopwatch since_;
};

}  // namespace

std::optional<Point> point_of(const ChildEnd& end) {
  if (end.journal.empty()) return std::nullopt;
  JournalContent content = parse_journal(end.journal, "what the point's process wrote");
  if (content.points.empty()) return std::nullopt;
  return std::move(content.points.back().point);
}

void run_children(std::size_t count, const ChildOptions& options,
                  const std::function<ChildTask(std::size_t i, std::size_t slot)>& task,
                  const std::function<void(std::size_t i, const ChildEnd& end)>& ended) {
  Children children;
  std::vector<Child>& running = children.running;
  std::vector<std::size_t> free_slots;
  for (std::size_t slot = options.slots; slot-- > 0;) free_slots.push_back(slot);
  std::size_t next = 0;
  bool passed_on = false;
  JobEnd job(options.seconds_after_failure);
  while (true) {
    while (next < count && !free_slots.empty() && !interrupted()) {
      running.push_back(start(next, free_slots.back(), task(next, free_slots.back())));
      free_slots.pop_back();
      ++next;
    }
    if (running.empty()) return;
    wait_for_any(running, options.most_seconds);
    if (interrupted() && !std::exchange(passed_on, true)) {
      for (const Child& child : running) ::kill(child.process, SIGINT);
    }
    job.end_others(running);
    for (std::size_t i = 0; i < running.size();) {
      const std::optional<ChildEnd> end = end_of(running[i], options.most_seconds);
      if (!end) {
        ++i;
        continue;
      }
      job.note(*end);
      const std::size_t index = running[i].index;
      free_slots.push_back(running[i].slot);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
      ended(index, *end);
    }
  }
}

Status status_of(const ChildEnd& end, double most_seconds) {
  const std::string words = end.last_words.empty() ? "" : "; its last words: " + end.last_words;
  if (end.timed_out) {
    return {StatusKind::kFailed,
            fmt::format("ran longer than {:g} s (--point-timeout) and was killed{}", most_seconds, words)};
  }
  if (WIFSIGNALED(end.wait_status)) {
    const int number = WTERMSIG(end.wait_status);
    const char* name = ::sigabbrev_np(number);
    const std::string killed = name == nullptr ? fmt::format("ended by signal {}", number)
                                               : fmt::format("ended by SIG{} ({})", name, ::sigdescr_np(number));
    if (end.out_of_memory) {
      return {StatusKind::kOutOfMemory, killed + ": the kernel killed it for memory" + words};
    }
    return {StatusKind::kFailed, killed + words};
  }
  const int code = WEXITSTATUS(end.wait_status);
  if (code == 0) return {};
  return {StatusKind::kFailed, fmt::format("its process ended with exit code {}{}", code, words)};
}

MeasurePoints in_children(std::function<ChildTask(std::size_t i, std::size_t slot)> task,
                          std::function<Point(std::size_t i)> row, ChildOptions options) {
  return [=](const std::vector<std::size_t>& wanted, const PointEnded& ended, const PointTells& tells) {
    const auto begin = [&](std::size_t k, std::size_t slot) {
      tells(wanted[k], "in a process of its own");
      return task(wanted[k], slot);
    };
    run_children(wanted.size(), options, begin, [&](std::size_t k, const ChildEnd& end) {
      const Status status = status_of(end, options.most_seconds);
      std::optional<Point> point = point_of(end);
      if (!point && interrupted()) return;
      if (!point) {
        point = row(wanted[k]);
        point->status = status.ok() ? Status{StatusKind::kFailed, "its process left no point"} : status;
      } else if (WIFSIGNALED(end.wait_status)) {
        // The figures are complete; how the process ended is worth knowing.
        point->status.reason += (point->status.reason.empty() ? "" : "; ") + ("measured, then " + status.reason);
      }
      ended(wanted[k], std::move(*point));
    });
  };
}

namespace {

/// What `ask` answers in a process of its own; a flow that cannot be loaded answers with `otherwise` of the reason.
std::string asked_elsewhere(const std::function<std::string()>& ask,
                            const std::function<std::string(const std::exception&)>& otherwise) {
  const Descriptor answer = file_in_memory("answer");
  const pid_t process = ::fork();
  if (process < 0) cannot("none can be started", errno);
  if (process == 0) {
    std::string text;
    try {
      text = ask();
    } catch (const std::exception& error) {
      text = otherwise(error);
    }
    (void)!::write(answer.get(), text.data(), text.size());
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return content_of(answer, 4096);
}

}  // namespace

std::string runtime_version_elsewhere(const std::string& flow) {
  // The point itself will say why there is none.
  return asked_elsewhere([&] { return load_flow(flow).info().version; }, [](const std::exception&) { return ""; });
}

std::string why_unavailable(const std::string& flow, const Device& device) {
  return asked_elsewhere(
      [&]() -> std::string {
        std::string devices;
        for (const Device& known : load_flow(flow).info().devices) {
          if (known == device) return "";
          devices += (devices.empty() ? "" : ", ") + to_string(known);
        }
        return fmt::format("the {} flow sees no {} on this machine; it has {}", flow, to_string(device), devices);
      },
      [](const std::exception& error) { return std::string(error.what()); });
}

}  // namespace nongemm
