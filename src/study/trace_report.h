// Reports from the traces of other tools: the groups, operators and shares of a run of ours, and direct sums.
#pragma once

#include <vector>

#include "report/document.h"
#include "spec/request.h"

namespace nongemm {

/// A point for each file, in their order.
/// @param long_timeline of what happened in time, keep as much as a report may hold (--keep timeline)
/// @throws Error (kBadInput, kIo) naming the file; (kUsage) for limits that nobody has measured
std::vector<Point> trace_points(const AnalyzeRequest& request, const Counting& counting, bool long_timeline = false);

}  // namespace nongemm
