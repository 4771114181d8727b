// ONNX Runtime's profile of one run: a JSON list of events in the form of the Chrome trace viewer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/tensor.h"

namespace nongemm::ort_flow {

/// One call of a kernel. The runtime counts whole microseconds, rounded down, from the start of the run.
struct ProfiledNode {
  std::string name;
  std::string type;
  std::string provider;     // "CPU", "CUDA"
  std::uint32_t index = 0;  // of the node in its graph, in the runtime's own numbering
  std::int64_t begin_us = 0;
  std::int64_t duration_us = 0;
  std::uint64_t output_bytes = 0;
  std::vector<Shape> outputs;  // as the run saw them
};

struct RunProfile {
  std::int64_t begin_us = 0;
  std::int64_t duration_us = 0;
  /// In the order of their begin; a control node comes before what it calls.
  std::vector<ProfiledNode> nodes;
};

/// @param origin the file's name, for messages
/// @throws Error(kBadInput) when it is no such profile or says nothing of the run itself
RunProfile parse_run_profile(std::string_view json, const std::string& origin);

/// For each node the time that none of the nodes called by it takes (a loop calls the nodes of its body), in us.
std::vector<std::int64_t> own_durations(const std::vector<ProfiledNode>& nodes);

}  // namespace nongemm::ort_flow
