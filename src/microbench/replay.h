// Calls of an earlier run with their times inside the model, and why they take another time alone.
#pragma once

#include <string>
#include <vector>

#include "microbench/call.h"
#include "microbench/operators.h"
#include "report/document.h"
#include "report/op_sections.h"

namespace nongemm::microbench {

struct ReplayCall {
  Call call;
  InModelFigures in_model;
};

/// Every distinct call of a measured point, with the mean time of its nodes; calls with an operand that the run alone
/// knew are left out.
/// @param graph the one that the point was made from, built again
/// @param left_out how many nodes could not be made into calls
/// Throws Error(kBadInput) when the point's nodes are not those of the graph, Error(kUnsupported) when it has no times
/// by graph node.
std::vector<ReplayCall> replay_calls(const Graph& graph, const Point& point, const SchemaSource& runtime,
                                     std::size_t& left_out);

/// Times of the call alone.
struct Isolated {
  double time_s = 0;
  double wall_s = 0;
  double cold_s = 0;  // NaN when not measured
  double bytes = 0;   // least traffic
};

/// By more than 20 %.
bool differs(double a, double b);

/// What makes the difference, where it can be told; empty otherwise.
std::string cause_of(const InModelFigures& in_model, const Isolated& alone, bool on_device);

}  // namespace nongemm::microbench
