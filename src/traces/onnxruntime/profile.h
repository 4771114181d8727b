// What ONNX Runtime writes with `enable_profiling`: nodes of its optimised graph with their times on the host, kernels
// where the provider has some, inferences as a whole.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "traces/common/event_reader.h"
#include "traces/common/trace_builder.h"

namespace nongemm::traces {

class OnnxRuntimeReader {
 public:
  static bool fits(const TraceEvent& event) { return event.category == "Session" || event.category == "Node"; }

  void add(const TraceEvent& event);
  /// @param reader after its last event
  ToolTrace finish(const EventReader& reader) &&;

 private:
  void add_node(const TraceEvent& event, const When& when);
  void add_kernel(const TraceEvent& event, const When& when);

  TraceBuilder builder_{"onnxruntime"};
  std::int64_t nodes_ = 0;
  std::int64_t without_time_ = 0;
  /// Kernels come behind their node and know its type alone: the last node of a type, as an id.
  std::map<std::string, std::int64_t, std::less<>> last_of_type_;
};

}  // namespace nongemm::traces
