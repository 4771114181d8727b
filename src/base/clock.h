// The one clock of the program: steady, in nanoseconds, the one that traces count in (CLOCK_MONOTONIC).
#pragma once

#include <time.h>

#include <cstdint>

namespace nongemm {

/// Safe in a signal handler.
inline std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

/// Time that passes from when it was made.
class Stopwatch {
 public:
  double seconds() const { return static_cast<double>(now_ns() - begin_ns_) * 1e-9; }

  /// Seconds until now; counts anew from here.
  double lap() {
    const std::int64_t now = now_ns();
    const double passed = static_cast<double>(now - begin_ns_) * 1e-9;
    begin_ns_ = now;
    return passed;
  }

 private:
  std::int64_t begin_ns_ = now_ns();
};

}  // namespace nongemm
