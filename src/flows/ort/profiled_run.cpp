#include "flows/ort/profiled_run.h"

#include <filesystem>

namespace nongemm::ort_flow {

RunProfile ProfiledRun::read() const {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
  const std::filesystem::directory_iterator file(folder_.path());
  if (file == std::filesystem::directory_iterator()) {
    throw Error(ErrorKind::kIo, "ONNX Runtime wrote no profile into " + folder_.path().string(),
                "check the free space there, or name another folder in TMPDIR");
  }
  const std::filesystem::path path = file->path();
  const RunProfile profile = parse_run_profile(read_file(path, kMostBytes), path.filename().string());
  std::filesystem::remove(path);
  return profile;
}

}  // namespace nongemm::ort_flow
