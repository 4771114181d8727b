// The calls of one operator that a sweep over shapes, dtypes, layouts and values asks for.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "microbench/call.h"
#include "spec/run_spec.h"

namespace nongemm::microbench {

/// A call, or why it could not be made.
struct SweptCall {
  Call call;                 // the operator alone when it could not be made
  std::string refused;       // what was asked for, where no call could be made of it
  std::exception_ptr error;  // why; none for a call
};

/// The cross product of all values without a name; those with one ("weight=4096") belong to every call. Throws Error
/// for what makes the whole request wrong: a value that does not exist, or no combination that makes a call.
/// @param request shapes, dtypes, layouts, values, arguments
std::vector<SweptCall> swept_calls(const OperatorInfo& info, const OperatorRequest& request);

}  // namespace nongemm::microbench
