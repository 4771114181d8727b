#include "base/interrupt.h"

#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <thread>

#include "base/error.h"
#include "base/message.h"
#include "base/process_state.h"

namespace nongemm {
namespace {

std::atomic<std::int64_t> first_signal_ns = 0;
std::atomic<bool> ends_now = false;
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "used in a signal handler");
sem_t wake;

/// A second signal means now. Some tools (GNU timeout, schedulers) send one to the process and one to its group: what
/// follows at once is the same one.
void on_signal(int) {
  constexpr std::int64_t kTogether = 500'000'000;
  const int saved = errno;
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t now = static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  if (!process_state().interrupted.exchange(true)) {
    first_signal_ns = now;
  } else if (now - first_signal_ns > kTogether) {
    ends_now = true;
  }
  sem_post(&wake);
  errno = saved;
}

/// Does what a handler must not: it may find the program anywhere, inside an allocation for example.
void watch() {
  bool told = false;
  while (true) {
    while (sem_wait(&wake) != 0) {
    }
    if (ends_now) {
      remove_temporaries();
      constexpr int kInterrupted = 130;
      std::_Exit(kInterrupted);
    }
    if (told) continue;
    told = true;
    say("\nnongemm: interrupted: it ends when what runs now returns, with what was measured; a second signal ends it "
        "at "
        "once\n");
  }
}

void handle(int signal) {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

bool is_ignored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void install_interrupt_handler() {
  static pid_t watched = 0;  // a process that was forked has no thread of its parent
  if (watched != getpid()) {
    watched = getpid();
    sem_init(&wake, 0, 0);
    std::thread(watch).detach();
  }
  handle(SIGINT);
  handle(SIGTERM);
  if (!is_ignored(SIGHUP)) handle(SIGHUP);  // nohup
}

bool interrupted() { return process_state().interrupted; }

void stop_if_interrupted() {
  if (interrupted()) throw Error(ErrorKind::kFailed, "interrupted");
}

void forget_interrupt() { process_state().interrupted = false; }

}  // namespace nongemm
