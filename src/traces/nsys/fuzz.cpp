// Fuzz target: any bytes given as an export of Nsight Systems are read or refused, never a crash.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "traces/nsys/nsys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = memfd_create("fuzz.sqlite", MFD_CLOEXEC);
  if (file < 0) std::abort();
  if (write(file, data, size) == static_cast<ssize_t>(size)) {
    try {
      nongemm::traces::read_nsys("/proc/self/fd/" + std::to_string(file));
    } catch (const nongemm::Error&) {
    }
  }
  close(file);
  return 0;
}
