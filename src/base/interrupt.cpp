#include "base/interrupt.h"

#include <time.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>

namespace nongemm {
namespace {

volatile std::sig_atomic_t interrupt_count = 0;
std::atomic<std::int64_t> first_interrupt_ns = 0;
static_assert(std::atomic<std::int64_t>::is_always_lock_free, "used in a signal handler");

/// A second Ctrl-C means now. Some tools (GNU timeout, schedulers) send one to the process and one to its group: what
/// follows at once is the same one.
void on_interrupt(int) {
  constexpr std::int64_t kTogether = 500'000'000;
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  const std::int64_t now = static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  if (interrupt_count > 0 && now - first_interrupt_ns > kTogether) std::_Exit(130);
  if (interrupt_count == 0) first_interrupt_ns = now;
  interrupt_count = 1;
}

}  // namespace

void install_interrupt_handler() { std::signal(SIGINT, on_interrupt); }

bool interrupted() { return interrupt_count > 0; }

void forget_interrupt() { interrupt_count = 0; }

}  // namespace nongemm
