#include "traces/onnxruntime/profile.h"

#include <utility>

namespace nongemm::traces {

void OnnxRuntimeReader::add(const TraceEvent& event) {
  if (event.phase != "X") return;
  When when;
  if (!time_of(event, when)) {
    ++without_time_;
    return;
  }
  if (event.category == "Session" && event.name == "model_run") {
    builder_.trace().run_ns.push_back(when.end_ns - when.begin_ns);
  } else if (event.category == "Node" && event.name.ends_with("_kernel_time")) {
    when.thread = builder_.thread(event.process, event.thread);
    add_node(event, when);
  } else if (event.category == "Kernel") {
    add_kernel(event, when);
  }
}

void OnnxRuntimeReader::add_node(const TraceEvent& event, const When& when) {
  const std::string_view type = event.op_name.empty() ? event.name : event.op_name;
  builder_.add_operator(when, builder_.call(type, event.shapes, "", ""), nodes_);
  last_of_type_.insert_or_assign(std::string(type), nodes_);
  ++nodes_;
}

void OnnxRuntimeReader::add_kernel(const TraceEvent& event, const When& when) {
  const std::int64_t stream = integer_of(event.process.empty() ? "0" : event.process);
  const auto node = last_of_type_.find(event.op_name);
  const DeviceRecord record{.begin_ns = when.begin_ns,
                            .end_ns = when.end_ns,
                            .name = builder_.name(event.name),
                            .stream = builder_.stream(0, event.stream != kAbsent ? event.stream : stream)};
  builder_.add_device(record, {kAbsent, node != last_of_type_.end() ? node->second : kAbsent});
}

ToolTrace OnnxRuntimeReader::finish(const EventReader& reader) && {
  ToolTrace trace = std::move(builder_).finish();
  trace.events = reader.events();
  trace.repaired = reader.repaired();
  trace.dropped = reader.dropped() + without_time_;
  if (trace.nodes.empty()) trace.notes.emplace_back("no node was run while the profile was written");
  return trace;
}

}  // namespace nongemm::traces
