// What torch.profiler writes (Kineto): operators of PyTorch, ranges of the program and of its modules, calls of CUDA,
// activities of devices.
#pragma once

#include <cstdint>

#include "traces/common/event_reader.h"
#include "traces/common/trace_builder.h"

namespace nongemm::traces {

class KinetoReader {
 public:
  void add(const TraceEvent& event);
  /// @param reader after its last event
  ToolTrace finish(const EventReader& reader) &&;

 private:
  void add_operator(const TraceEvent& event, const When& when);
  void add_annotation(const TraceEvent& event, const When& when);
  void add_python(const TraceEvent& event, const When& when);
  void add_call(const TraceEvent& event, const When& when);
  void add_kernel(const TraceEvent& event, const When& when);
  void add_copy(const TraceEvent& event, const When& when);
  void add_fill(const TraceEvent& event, const When& when);
  void add_activity(const TraceEvent& event, const When& when, DeviceRecord record);

  using Add = void (KinetoReader::*)(const TraceEvent&, const When&);
  struct Category {
    std::string_view name;
    Add add;
    bool on_host;
  };
  static const Category* find(std::string_view name);

  TraceBuilder builder_{"kineto"};
  std::int64_t without_time_ = 0;
  std::int64_t operators_ = 0;
};

}  // namespace nongemm::traces
