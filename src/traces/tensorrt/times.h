// Times of whole inferences: `trtexec --exportTimes` of TensorRT 8, 10 and 11.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace nongemm::traces {

struct InferenceTime {
  double latency_s = 0;  // copies included, where trtexec made them
  double compute_s = 0;  // from the first to the last kernel
};

/// @param origin the file's name, for messages
/// @throws Error (kBadInput)
std::vector<InferenceTime> parse_tensorrt_times(std::string_view text, const std::string& origin);
std::vector<InferenceTime> read_tensorrt_times(const std::filesystem::path& path);

}  // namespace nongemm::traces
