#include "traces/read_trace.h"

#include <array>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "traces/common/byte_source.h"
#include "traces/kineto/kineto.h"
#include "traces/nsys/nsys.h"
#include "traces/onnxruntime/profile.h"

namespace nongemm::traces {
namespace {

/// Formats of events: the first that the begin of the file fits is taken.
struct EventFormat {
  bool (*fits)(const TraceEvent& event);
  ToolTrace (*read)(EventReader& reader, const TraceEvent* first);
};

template <typename Reader>
ToolTrace read_all(EventReader& events, const TraceEvent* first) {
  Reader reader;
  for (const TraceEvent* event = first; event != nullptr; event = events.next()) reader.add(*event);
  return std::move(reader).finish(events);
}

constexpr std::array kFormats = {
    EventFormat{OnnxRuntimeReader::fits, read_all<OnnxRuntimeReader>},
    EventFormat{[](const TraceEvent& event) { return !event.phase.empty(); }, read_all<KinetoReader>},
};

/// Other files that people give by mistake, by a member of their outermost object.
struct OtherFile {
  std::string_view member;
  std::string_view what;
  std::string_view way_out;
};
constexpr std::array kOtherFiles = {
    OtherFile{"schema", "a report of nongemm", "nongemm report FILE makes any format of it"},
    OtherFile{"nbformat", "a Jupyter notebook", ""},
    OtherFile{"log", "a HAR file: the log of a browser's network", ""},
    OtherFile{"model_type", "a model's config.json", "nongemm run takes its folder"},
};

[[noreturn]] void refuse(const EventReader& reader, const std::string& origin) {
  for (const OtherFile& other : kOtherFiles) {
    if (!reader.properties().contains(std::string(other.member))) continue;
    throw Error(ErrorKind::kBadInput, origin + " is no trace but " + std::string(other.what),
                std::string(other.way_out));
  }
  throw Error(ErrorKind::kBadInput, origin + " is no trace: it has no events",
              "give a trace of torch.profiler, ONNX Runtime or Nsight Systems; files of trtexec go to --tensorrt");
}

void check(ToolTrace& trace, const std::string& origin) {
  if (!trace.trace.device.empty()) return;
  trace.notes.emplace_back("no activities of a device: all times are of the host");
  if (!trace.nodes.empty()) return;
  throw Error(ErrorKind::kBadInput, origin + " has events, but neither operators nor activities of a device",
              "record them, too: torch.profiler's activities CPU and CUDA, nsys profile --trace cuda,nvtx");
}

/// Formats that are no events, told by the first bytes of a file.
struct FileFormat {
  bool (*fits)(std::string_view begin);
  ToolTrace (*read)(const std::filesystem::path& path);
};

constexpr std::array kFileFormats = {
    FileFormat{is_sqlite, read_nsys},
};

/// nullptr for a file that may have events.
const FileFormat* file_format(const std::filesystem::path& path) {
  std::array<char, 256> bytes{};
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  const std::string_view begin(bytes.data(), static_cast<std::size_t>(file.gcount()));
  for (const FileFormat& format : kFileFormats) {
    if (format.fits(begin)) return &format;
  }
  return nullptr;
}

}  // namespace

ToolTrace read_event_trace(EventReader::ReadMore more, const std::string& origin) {
  EventReader reader(std::move(more), origin);
  const TraceEvent* event = reader.next();
  while (event != nullptr && event->phase.empty()) event = reader.next();
  if (event == nullptr) refuse(reader, origin);
  ToolTrace trace;
  for (const EventFormat& format : kFormats) {
    if (!format.fits(*event)) continue;
    trace = format.read(reader, event);
    break;
  }
  if (reader.is_truncated()) trace.notes.emplace_back("the file ends before its list of events does");
  check(trace, origin);
  return trace;
}

ToolTrace read_trace(const std::filesystem::path& path) {
  if (const FileFormat* format = file_format(path)) {
    ToolTrace trace = format->read(path);
    check(trace, path.filename().string());
    return trace;
  }
  ByteSource source(path);
  ToolTrace trace =
      read_event_trace([&](char* to, std::size_t most) { return source.read(to, most); }, path.filename().string());
  if (const std::string complaint = source.complaint(); !complaint.empty()) trace.notes.push_back(complaint);
  return trace;
}

}  // namespace nongemm::traces
