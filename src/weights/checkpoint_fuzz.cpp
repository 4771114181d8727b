// A whole checkpoint file of any format: the zip archive, the pickle in it, its storages.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "weights/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int descriptor = ::memfd_create("fuzz", MFD_CLOEXEC);
  if (descriptor < 0) return 0;
  if (::write(descriptor, data, size) == static_cast<ssize_t>(size)) {
    try {
      nongemm::weights::open_checkpoint("/proc/self/fd/" + std::to_string(descriptor));
    } catch (const nongemm::Error&) {
    }
  }
  ::close(descriptor);
  return 0;
}
