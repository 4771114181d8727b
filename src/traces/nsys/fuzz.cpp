// Fuzz target: any bytes given as an export of Nsight Systems are read or refused, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.h"
#include "traces/nsys/fuzz_file.h"
#include "traces/nsys/nsys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const nongemm::traces::FuzzFile file(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!file.written()) std::abort();
  try {
    nongemm::traces::read_nsys(file.path());
  } catch (const nongemm::Error&) {
  }
  return 0;
}
