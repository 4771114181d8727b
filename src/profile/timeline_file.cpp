#include "profile/timeline_file.h"

#include <istream>
#include <ostream>
#include <sstream>

#include "base/error.h"

namespace nongemm {
namespace {

constexpr std::int64_t kUnknown = -1;

std::int64_t known(std::uint32_t id) { return id == kNoId ? kUnknown : static_cast<std::int64_t>(id); }
std::uint32_t id_of(std::int64_t value) { return value == kUnknown ? kNoId : static_cast<std::uint32_t>(value); }

void read_spans(std::istream& line, Trace& trace) {
  std::int64_t last = 0;
  char colon = 0;
  std::int64_t node = 0;
  std::int64_t pause = 0;
  std::int64_t length = 0;
  while (line >> node >> colon >> pause >> colon >> length) {
    trace.nodes.push_back({id_of(node), last + pause, last + pause + length});
    last = trace.nodes.back().end_ns;
  }
}

void read_record(std::istream& line, Trace& trace) {
  DeviceRecord record;
  std::int64_t length = 0;
  std::int64_t name = 0;
  std::int64_t span = 0;
  std::int64_t call = 0;
  int kind = 0;
  line >> record.begin_ns >> length >> kind >> record.stream >> name >> record.bytes >> span >> record.launch_ns >>
      call;
  record.end_ns = record.begin_ns + length;
  record.kind = static_cast<DeviceRecord::Kind>(kind);
  record.name = id_of(name);
  record.span = id_of(span);
  record.launched_ns = record.launch_ns == kUnknown ? 0 : record.launch_ns + call;
  if (record.launch_ns == kUnknown) record.launch_ns = 0;
  if (record.span < trace.nodes.size()) record.node = trace.nodes[record.span].node;
  trace.device.push_back(record);
}

void read_names(std::istream& line, Trace& trace) {
  line.ignore(1);
  for (std::string name; std::getline(line, name, '\t');) trace.names.push_back(name);
}

/// @param trace the last one that was begun
void read_line(char what, std::istream& line, TimelineFile& file, Trace*& trace) {
  std::int64_t begin = 0;
  std::int64_t length = 0;
  std::int64_t id = 0;
  std::string text;
  switch (what) {
    case 'M':
      return;
    case 'O':
      line >> id >> text;
      file.operators.push_back(text);
      return;
    case 'P':
      line >> length;
      file.plain_ns.push_back(length);
      return;
    case 'T':
      line >> text >> length;
      trace = &file.traces[text].emplace_back();
      trace->end_ns = length;
      return;
    default:
      break;
  }
  if (trace == nullptr) throw Error(ErrorKind::kBadInput, "a timeline begins without its first line");
  switch (what) {
    case 'S':
      return read_spans(line, *trace);
    case 'D':
      return read_record(line, *trace);
    case 'C':
      line >> begin >> length >> id;
      trace->calls.push_back({begin, begin + length, id_of(id)});
      return;
    case 'W':
      line >> begin >> length >> id;
      trace->synchronisations.push_back({begin, begin + length, id_of(id)});
      return;
    case 'N':
      return read_names(line, *trace);
    default:
      throw Error(ErrorKind::kBadInput, std::string("a timeline has no lines of kind '") + what + "'");
  }
}

}  // namespace

void write_trace(std::ostream& out, const std::string& kind, const Trace& trace) {
  const std::int64_t zero = trace.begin_ns;
  out << "T " << kind << ' ' << trace.end_ns - zero << "\nS";
  std::int64_t last = zero;
  for (const NodeSpan& span : trace.nodes) {
    out << ' ' << span.node << ':' << span.begin_ns - last << ':' << span.end_ns - span.begin_ns;
    last = span.end_ns;
  }
  out << '\n';
  for (const DeviceRecord& r : trace.device) {
    out << "D " << r.begin_ns - zero << ' ' << r.end_ns - r.begin_ns << ' ' << static_cast<int>(r.kind) << ' '
        << r.stream << ' ' << known(r.name) << ' ' << r.bytes << ' ' << known(r.span) << ' '
        << (r.launch_ns != 0 ? r.launch_ns - zero : kUnknown) << ' '
        << (r.launched_ns != 0 ? r.launched_ns - r.launch_ns : kUnknown) << '\n';
  }
  for (const HostCall& c : trace.calls) {
    out << "C " << c.begin_ns - zero << ' ' << c.end_ns - c.begin_ns << ' ' << known(c.span) << '\n';
  }
  for (const SynchronisationRecord& s : trace.synchronisations) {
    out << "W " << s.begin_ns - zero << ' ' << s.end_ns - s.begin_ns << ' ' << known(s.node) << '\n';
  }
  if (trace.names.empty()) return;
  constexpr std::size_t kMostLetters = 60;
  out << 'N';
  for (const std::string& name : trace.names) out << '\t' << name.substr(0, kMostLetters);
  out << '\n';
}

TimelineFile read_timelines(std::istream& in) {
  TimelineFile file;
  Trace* trace = nullptr;
  for (std::string text; std::getline(in, text);) {
    if (text.empty()) continue;
    std::istringstream line(text.substr(1));
    read_line(text[0], line, file, trace);
  }
  return file;
}

}  // namespace nongemm
