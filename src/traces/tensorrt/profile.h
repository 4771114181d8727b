// Times of an engine's layers: `trtexec --exportProfile` of TensorRT 8, 10 and 11.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::traces {

struct LayerTime {
  std::string name;     // without the profile's suffix
  int profile = 0;      // optimization profile
  double mean_s = 0;    // over the profiled inferences
  double median_s = 0;  // NaN when not told
};

struct TensorRtProfile {
  /// Inferences that were profiled; 0 when not told.
  std::int64_t inferences = 0;
  /// In the order in which they ran. Names may repeat.
  std::vector<LayerTime> layers;
};

/// @param origin the file's name, for messages
/// @throws Error (kBadInput)
TensorRtProfile parse_tensorrt_profile(std::string_view text, const std::string& origin);
TensorRtProfile read_tensorrt_profile(const std::filesystem::path& path);

}  // namespace nongemm::traces
