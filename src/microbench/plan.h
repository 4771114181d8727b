// From what `nongemm op` is asked for to the points that are measured.
#pragma once

#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "microbench/op_point.h"
#include "report/document.h"
#include "spec/option_table.h"

namespace nongemm::microbench {

/// A call to measure, or why it could not be made.
struct PlannedCall {
  OpSpec spec;
  std::string refused;       // what was asked for, where no call could be made of it
  std::exception_ptr error;  // why; none for a call
};

using Note = std::function<void(const std::string& text)>;

/// Calls outermost, then devices, caches, and flows innermost. Throws Error for what makes the whole request wrong; a
/// combination of a sweep that makes no call is a row with its reason.
/// @param note told of what is left out
std::vector<PlannedCall> plan_calls(const Selection& selection, const Note& note);

/// Measures a planned call, or says why there is none.
Point point_of(const PlannedCall& planned, const std::function<void(const std::string&)>& progress);

}  // namespace nongemm::microbench
