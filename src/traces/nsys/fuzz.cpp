// Fuzz target: any bytes given as an export of Nsight Systems are read or refused, never a crash.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.h"
#include "traces/nsys/nsys.h"

namespace {

/// In memory where there is such a folder. Not a file without a name: SQLite asks what a path really is, and would open
/// what is not there.
std::filesystem::path place() {
  const std::filesystem::path memory = "/dev/shm";
  const std::filesystem::path folder =
      std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
  return folder / ("nongemm-nsys-fuzz-" + std::to_string(getpid()) + ".sqlite");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::filesystem::path path = place();
  if (!std::ofstream(path, std::ios::binary)
           .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size))) {
    std::abort();
  }
  try {
    nongemm::traces::read_nsys(path.string());
  } catch (const nongemm::Error&) {
  }
  std::filesystem::remove(path);
  return 0;
}
