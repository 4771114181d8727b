// Fuzz target: any bytes given as a trace of events are read or refused, in pieces of any size, never a crash.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "traces/read_trace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 2 == 0 ? size : std::size_t{data[0]};
  std::size_t at = 1;
  try {
    const nongemm::ToolTrace trace = nongemm::traces::read_event_trace(
        [&](char* to, std::size_t most) {
          const std::size_t count = std::min({most, piece, size - at});
          std::memcpy(to, data + at, count);
          at += count;
          return count;
        },
        "fuzz.json");
    for (const nongemm::DeviceRecord& record : trace.trace.device) {
      const bool right = record.begin_ns <= record.end_ns && record.stream < trace.streams.size() &&
                         (record.node == nongemm::kNoId || record.node < trace.nodes.size());
      if (!right) std::abort();
    }
    for (const nongemm::NodeSpan& span : trace.trace.nodes) {
      if (span.node >= trace.nodes.size() || span.begin_ns > span.end_ns) std::abort();
    }
    for (const nongemm::ToolNode& node : trace.nodes) {
      if (node.scope >= trace.scopes.size() || node.name >= trace.trace.names.size()) std::abort();
    }
  } catch (const nongemm::Error&) {
  }
  return 0;
}
