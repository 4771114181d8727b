// The part of the field table for microbenchmarks of single operators (`nongemm op`).
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "base/statistics.h"
#include "record/limits.h"
#include "report/document.h"

namespace nongemm {

/// The same call inside the model that it was taken from.
struct InModelFigures {
  double time_s = 0;                                         // of one call
  double calls = 0;                                          // per inference
  double gap_s = 0;                                          // the device waited before one call; 0 on a host
  double cold_s = std::numeric_limits<double>::quiet_NaN();  // isolated, operands not in a cache
  std::string cause;                                         // of a difference, where it can be told
  std::string example;                                       // module path of one of the calls

  double total_s() const { return time_s + gap_s; }
};

/// Figures of one call of an operator.
struct OpFigures {
  Summary time;  // of one call: its kernels on a device, the call on a host
  Summary wall;  // wall time over calls, the runtime's own included
  std::int64_t repeat = 1;
  double gap_s = std::numeric_limits<double>::quiet_NaN();    // device waits per call; NaN on a host
  double kernels = std::numeric_limits<double>::quiet_NaN();  // per call; NaN on a host
  NodeRow node;                          // classified, typed and costed; with its time at the limit
  const DeviceLimits* limits = nullptr;  // null when they are not known
  double bus_bytes = std::numeric_limits<double>::quiet_NaN();   // of a collective: what each rank has to send
  double transfer_s = std::numeric_limits<double>::quiet_NaN();  // of a collective between devices, waiting left out
  std::string stopping_rule;
  std::string how;
  const InModelFigures* in_model = nullptr;  // null for a call that was taken from no model
};

const std::vector<const SectionInfo*>& op_section_infos();

Table make_op_table(const OpFigures& figures);

/// Whether all points are single calls, and there are several.
bool is_sweep_of_calls(const Document& document);
/// What people read of such a sweep: one point with a row for each call. Settings that all have in common stay
/// settings, the others become columns.
Document calls_as_rows(const Document& document);

}  // namespace nongemm
