// One point of `nongemm op`: a call in one flow on one device, as a row of the report.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "microbench/measure_call.h"
#include "report/document.h"
#include "report/op_sections.h"
#include "spec/run_spec.h"

namespace nongemm::microbench {

struct OpSpec {
  Call call;
  /// Flow, device, policy, ... of the run; what it says of operators is what makes the call again (op_command.h).
  RunSpec run;
  std::string model;  // that the call was taken from; empty for a user's own
  std::optional<InModelFigures> in_model;
};

/// The options of `nongemm op` that make the point again.
std::string command_of(const OpSpec& spec);
std::string key_of(const OpSpec& spec);
/// The command, word by word, without the program's name.
std::vector<std::string> words_of(const OpSpec& spec);
/// A point without figures.
Point row_of(const OpSpec& spec);

/// Never throws for a call that cannot run: the status says why.
Point op_point(const OpSpec& spec, const std::function<void(const std::string&)>& progress);

/// The point of a call that could not even be made.
/// @param wanted what was asked for, in place of the call's shapes
Point refused_point(const OpSpec& spec, const std::string& wanted, const std::exception& error);

}  // namespace nongemm::microbench
