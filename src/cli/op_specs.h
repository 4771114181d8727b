// From the options of `nongemm op` to the calls that are measured.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "microbench/op_point.h"
#include "microbench/operators.h"

namespace nongemm::cli {

struct OpOptions {
  std::string name;
  std::string preset;
  std::string from;
  SweepOptions sweep;  // dtypes, flows, devices; for presets what models are built for
  std::vector<std::string> shapes;
  std::vector<std::string> arguments;
  std::vector<std::string> layouts;
  std::vector<std::string> values;
  std::vector<std::string> caches{"hot"};
  std::vector<std::string> libraries;
  bool device_given = false;
};

/// A call to measure, or why it could not be made.
struct PlannedCall {
  micro::OpSpec spec;  // without flow and device
  std::vector<std::string> devices;
  std::string refused;  // what was asked for; empty for a call
  std::exception_ptr error;
};

/// Everything that the options ask for, before flows, devices and caches multiply it. Throws Error for what makes the
/// whole command line wrong; a combination of a sweep that makes no call is a row with its reason.
/// @param note told of what is left out
std::vector<PlannedCall> plan_calls(const OpOptions& options, const std::function<void(const std::string&)>& note);

}  // namespace nongemm::cli
