#include "flows/inductor/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <system_error>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"

namespace nongemm::inductor_flow {
namespace {

[[noreturn]] void cannot_start(const std::string& program, int error_number) {
  throw Error(ErrorKind::kUnsupported,
              fmt::format("'{}' cannot be started: {}", program, std::generic_category().message(error_number)));
}

/// Between fork and exec only what POSIX allows there.
[[noreturn]] void be_the_child(char* const* arguments, int log, int failure) {
  ::setpgid(0, 0);  // so that compilers it starts can be ended with it
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execvp(arguments[0], arguments);
  const int error_number = errno;
  [[maybe_unused]] const ssize_t told = ::write(failure, &error_number, sizeof error_number);
  ::_exit(127);
}

std::optional<int> exit_code(pid_t process, double seconds) {
  const Stopwatch watch;
  constexpr std::chrono::milliseconds kPause(50);
  while (true) {
    int status = 0;
    const pid_t ended = ::waitpid(process, &status, WNOHANG);
    if (ended == process) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    const bool too_long = watch.seconds() > seconds;
    if (too_long || interrupted()) {
      ::kill(-process, SIGKILL);
      ::waitpid(process, &status, 0);
      stop_if_interrupted();
      return std::nullopt;
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

std::optional<int> run_process(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                               double seconds) {
  std::vector<std::string> texts = arguments;
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) throw Error(ErrorKind::kIo, log.string() + ": " + std::generic_category().message(errno));
  std::array<int, 2> failure{};
  if (::pipe2(failure.data(), O_CLOEXEC) != 0) {
    ::close(file);
    cannot_start(arguments[0], errno);
  }
  const pid_t process = ::fork();
  if (process == 0) be_the_child(pointers.data(), file, failure[1]);
  const int fork_error = errno;
  ::close(file);
  ::close(failure[1]);
  int error_number = process < 0 ? fork_error : 0;
  // The pipe closes when the program has begun.
  if (process > 0 && ::read(failure[0], &error_number, sizeof error_number) > 0) ::waitpid(process, nullptr, 0);
  ::close(failure[0]);
  if (error_number != 0) cannot_start(arguments[0], error_number);
  return exit_code(process, seconds);
}

}  // namespace nongemm::inductor_flow
