// One point of `nongemm op`: a call in one flow on one device, as a row of the report.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "analysis/analysis.h"
#include "microbench/measure_call.h"
#include "report/document.h"
#include "report/op_sections.h"

namespace nongemm::micro {

struct OpSpec {
  Call call;
  std::string flow = "torch";
  CallOptions options;
  bool limits = true;
  bool fresh_limits = false;
  std::string model;    // that the call was taken from; empty for a user's own
  std::string command;  // that makes the point again
  std::optional<InModelFigures> in_model;
  AnalysisOptions analysis;
};

/// Never throws for a call that cannot run: status and reason say why.
Point op_point(const OpSpec& spec, const std::function<void(const std::string&)>& progress);

/// The point of a call that could not even be made.
Point refused_point(std::vector<std::pair<std::string, std::string>> settings, const std::string& command,
                    const std::exception& error);

/// operator, shapes, attributes, dtype, layout, flow, device, cache, model.
std::vector<std::pair<std::string, std::string>> settings_of(const OpSpec& spec);

}  // namespace nongemm::micro
