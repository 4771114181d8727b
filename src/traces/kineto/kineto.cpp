#include "traces/kineto/kineto.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace nongemm::traces {
namespace {

constexpr std::string_view kStep = "ProfilerStep#";
constexpr std::string_view kModule = "nn.Module: ";

DeviceRecord::Kind direction_of(std::string_view copy) {
  const auto has = [&](std::string_view piece) { return copy.find(piece) != std::string_view::npos; };
  if (has("HtoD")) return DeviceRecord::Kind::kMemcpyHostToDevice;
  if (has("DtoH")) return DeviceRecord::Kind::kMemcpyDeviceToHost;
  return DeviceRecord::Kind::kMemcpyDeviceToDevice;
}

/// "GPT2Block" of "GPT2Block_3": modules of a class are numbered.
std::string_view class_of(std::string_view module) {
  const std::size_t bar = module.rfind('_');
  if (bar == std::string_view::npos || bar + 1 == module.size()) return module;
  const std::string_view number = module.substr(bar + 1);
  const bool digits = std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits ? module.substr(0, bar) : module;
}

/// The stream and the device stand in the arguments; in old files the row of the display alone has them.
std::int64_t or_else(std::int64_t told, std::string_view row) {
  if (told != kAbsent) return told;
  const std::int64_t number = integer_of(row);
  return number != kAbsent ? number : 0;
}

void read_properties(const EventReader& reader, ToolTrace& trace) {
  const auto parsed = [&](const char* key) {
    const auto at = reader.properties().find(key);
    return at != reader.properties().end() ? parse_json_or_null(at->second) : Json();
  };
  const Json job = parsed("distributedInfo");
  const auto integer = [&](const char* key) -> std::optional<std::int64_t> {
    if (!job.is_object() || !job.contains(key) || !job[key].is_number_integer()) return std::nullopt;
    return job[key].get<std::int64_t>();
  };
  trace.rank = integer("rank");
  const Json devices = parsed("deviceProperties");
  if (!devices.is_array()) return;
  for (const Json& device : devices) {
    if (device.is_object() && device.contains("name") && device["name"].is_string()) {
      trace.device_names.push_back(device["name"].get<std::string>());
    }
  }
}

}  // namespace

const KinetoReader::Category* KinetoReader::find(std::string_view name) {
  // Most frequent first; the names of old versions last.
  static constexpr std::array kCategories = {
      Category{"cpu_op", &KinetoReader::add_operator, true},
      Category{"python_function", &KinetoReader::add_python, true},
      Category{"cuda_runtime", &KinetoReader::add_call, true},
      Category{"kernel", &KinetoReader::add_kernel, false},
      Category{"cuda_driver", &KinetoReader::add_call, true},
      Category{"gpu_memcpy", &KinetoReader::add_copy, false},
      Category{"gpu_memset", &KinetoReader::add_fill, false},
      Category{"user_annotation", &KinetoReader::add_annotation, true},
      Category{"xpu_runtime", &KinetoReader::add_call, true},
      Category{"Operator", &KinetoReader::add_operator, true},
      Category{"Runtime", &KinetoReader::add_call, true},
      Category{"Kernel", &KinetoReader::add_kernel, false},
      Category{"Memcpy", &KinetoReader::add_copy, false},
      Category{"Memset", &KinetoReader::add_fill, false},
  };
  const auto at = std::find_if(kCategories.begin(), kCategories.end(),
                               [&](const Category& category) { return category.name == name; });
  return at == kCategories.end() ? nullptr : &*at;
}

void KinetoReader::add(const TraceEvent& event) {
  if (event.phase != "X") return;
  const Category* category = find(event.category);
  if (category == nullptr) return;
  When when;
  if (!time_of(event, when)) {
    ++without_time_;
    return;
  }
  if (category->on_host) when.thread = builder_.thread(event.process, event.thread);
  (this->*(category->add))(event, when);
}

void KinetoReader::add_operator(const TraceEvent& event, const When& when) {
  ++operators_;
  builder_.add_operator(when, builder_.call(event.name, event.shapes, event.types, event.values), event.external_id);
}

void KinetoReader::add_annotation(const TraceEvent& event, const When& when) {
  if (event.name.starts_with(kStep)) {
    builder_.trace().steps.push_back({std::string(event.name), when.begin_ns, when.end_ns});
    return;
  }
  // The framework's own marks are no places in the program.
  if (event.name.starts_with("## ") || event.name.starts_with("nccl:")) return;
  builder_.add_scope(when, event.name, "");
}

/// Of Python's functions the modules are kept: the others are most of a file, and no place that a report names.
void KinetoReader::add_python(const TraceEvent& event, const When& when) {
  if (!event.name.starts_with(kModule)) return;
  const std::string_view module = event.name.substr(kModule.size());
  builder_.add_scope(when, module, class_of(module));
}

void KinetoReader::add_call(const TraceEvent& event, const When& when) {
  if (event.correlation == kAbsent) return;
  builder_.add_launch(when, {event.correlation, event.external_id}, kind_of_call(event.name));
}

void KinetoReader::add_activity(const TraceEvent& event, const When& when, DeviceRecord record) {
  record.begin_ns = when.begin_ns;
  record.end_ns = when.end_ns;
  record.stream = builder_.stream(or_else(event.device, event.process), or_else(event.stream, event.thread));
  record.bytes = event.bytes > 0 ? static_cast<std::uint64_t>(event.bytes) : 0;
  builder_.add_device(record, {event.correlation, event.external_id});
}

void KinetoReader::add_kernel(const TraceEvent& event, const When& when) {
  add_activity(event, when, {.name = builder_.name(event.name)});
  if (event.collective.empty()) return;
  const auto record = static_cast<std::uint32_t>(builder_.trace().trace.device.size() - 1);
  builder_.trace().collectives.push_back({record, std::string(event.collective), std::string(event.group)});
}

void KinetoReader::add_copy(const TraceEvent& event, const When& when) {
  add_activity(event, when, {.kind = direction_of(event.name)});
}

void KinetoReader::add_fill(const TraceEvent& event, const When& when) {
  add_activity(event, when, {.kind = DeviceRecord::Kind::kMemset});
}

ToolTrace KinetoReader::finish(const EventReader& reader) && {
  ToolTrace trace = std::move(builder_).finish();
  trace.events = reader.events();
  trace.repaired = reader.repaired();
  trace.dropped = reader.dropped() + without_time_;
  read_properties(reader, trace);
  std::sort(trace.steps.begin(), trace.steps.end(),
            [](const ToolStep& a, const ToolStep& b) { return a.begin_ns < b.begin_ns; });
  if (without_time_ > 0) {
    trace.notes.push_back(fmt::format("{} events have no time, or end before they begin", without_time_));
  }
  if (operators_ == 0)
    trace.notes.emplace_back("no operators were recorded: kernels are known by their own names alone");
  return trace;
}

}  // namespace nongemm::traces
