// Operator libraries that end the process they are loaded into, each in its way (DOOM_...).
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

/// DOOM_RANK: one of several ranks alone.
bool is_spared() {
  const char* doomed = std::getenv("DOOM_RANK");
  const char* rank = std::getenv("RANK");
  return doomed != nullptr && rank != nullptr && std::strcmp(doomed, rank) != 0;
}

__attribute__((constructor)) void end() {
  if (is_spared()) return;
#if defined(DOOM_ABORT)
  std::fputs("a runtime's last words\n", stderr);
  std::abort();
#elif defined(DOOM_HANG)
  for (;;) pause();
#elif defined(DOOM_MEMORY)
  // For a control group with a limit: bench/kill_sweep.py.
  constexpr std::size_t kPiece = std::size_t{16} << 20;
  for (;;) std::memset(std::malloc(kPiece), 1, kPiece);
#else
  raise(SIGKILL);
#endif
}

}  // namespace
