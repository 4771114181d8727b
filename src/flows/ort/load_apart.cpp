#include "flows/ort/load_apart.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/host_memory.h"
#include "base/interrupt.h"

namespace nongemm::ort_flow {
namespace {

/// What a child process says before it ends: an Error's kind in a byte, and its text.
void tell(int pipe, ErrorKind kind, const std::string& text) {
  const std::string message = static_cast<char>(kind) + text;
  for (std::size_t done = 0; done < message.size();) {
    const ssize_t written = ::write(pipe, message.data() + done, message.size() - done);
    if (written <= 0) return;
    done += static_cast<std::size_t>(written);
  }
}

/// No core file, no words of the runtime's own, no more memory than there is, and no life after the parent's.
void confine() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  long pages = 0;
  if (FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld", &pages) != 1) pages = 0;
    std::fclose(file);
  }
  const auto used = static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
  const double available = available_memory();
  if (pages == 0 || !std::isfinite(available)) return;
  const rlim_t most = used + static_cast<rlim_t>(available);
  const rlimit memory{most, most};
  ::setrlimit(RLIMIT_AS, &memory);
}

[[noreturn]] void be_the_child(int pipe, const std::function<void()>& load) {
  confine();
  try {
    load();
    ::_exit(0);
  } catch (const Error& error) {
    tell(pipe, error.kind(), error.what());
  } catch (const std::exception& error) {
    tell(pipe, ErrorKind::kFailed, error.what());
  }
  ::_exit(1);
}

class Child {
 public:
  explicit Child(const std::function<void()>& load) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Error(ErrorKind::kFailed, "no pipe to a process of its own");
    pid_ = ::fork();
    if (pid_ == 0) be_the_child(ends[1], load);
    ::close(ends[1]);
    pipe_ = ends[0];
    if (pid_ < 0) {
      ::close(pipe_);
      throw Error(ErrorKind::kFailed, std::string("no process of its own: ") + std::strerror(errno));
    }
  }
  ~Child() {
    ::close(pipe_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Reads what it says until it ends. @return whether it has ended
  bool listen(double seconds) {
    const Stopwatch watch;
    constexpr int kOftenMs = 50;
    while (watch.seconds() < seconds) {
      stop_if_interrupted();
      pollfd readable{pipe_, POLLIN, 0};
      if (::poll(&readable, 1, kOftenMs) <= 0) continue;
      char buffer[4096];
      const ssize_t count = ::read(pipe_, buffer, sizeof buffer);
      if (count == 0) return true;
      if (count > 0) said_.append(buffer, static_cast<std::size_t>(count));
    }
    return false;
  }
  int status() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }
  const std::string& said() const { return said_; }

 private:
  pid_t pid_ = 0;
  int pipe_ = -1;
  std::string said_;
};

}  // namespace

void load_apart(const std::filesystem::path& file, double most_seconds, const std::function<void()>& load) {
  Child child(load);
  if (!child.listen(most_seconds)) {
    throw Error(ErrorKind::kFailed,
                fmt::format("ONNX Runtime did not load {} within {:.0f} s", file.string(), most_seconds));
  }
  const int status = child.status();
  if (WIFSIGNALED(status)) {
    const char* name = ::sigabbrev_np(WTERMSIG(status));
    throw Error(ErrorKind::kFailed, fmt::format("ONNX Runtime ended with SIG{} when it loaded {}",
                                                name != nullptr ? name : "?", file.string()));
  }
  if (child.said().empty()) return;
  throw Error(static_cast<ErrorKind>(child.said()[0]), child.said().substr(1));
}

}  // namespace nongemm::ort_flow
