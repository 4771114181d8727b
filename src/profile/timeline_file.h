// Timelines as text, a line for each thing that happened: written on a machine with a device (timeline_dump), read by
// tests and by whoever works on the queue model without one.
//   M model batch nodes          O node operator             P plain latency
//   T kind latency               S node:pause:length ...     D begin length kind stream name bytes span launch call
//   C begin length span          W begin length node         N names, separated by tabs
// Times are ns; of T's lines from the begin of the inference; -1 stands for what is not known.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "record/trace.h"

namespace nongemm {

struct TimelineFile {
  std::vector<std::string> operators;  // by node
  std::vector<std::int64_t> plain_ns;
  std::map<std::string, std::vector<Trace>> traces;  // by kind: attribution, timing, host
};

void write_trace(std::ostream& out, const std::string& kind, const Trace& trace);
/// Throws Error(kBadInput) for lines that are none of these.
TimelineFile read_timelines(std::istream& in);

}  // namespace nongemm
