// The points of a command and how they are measured: in this process, in others, on other machines.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report/document.h"
#include "spec/option_table.h"
#include "study/exit_code.h"

namespace nongemm::cli {

/// A point of a sweep with what it is known by.
struct KeyedPoint {
  std::string key;
  Request request;
};

/// Points that several parts of a plan have in common are one.
/// @param wanted keys (--point); empty for all. Throws Error(kUsage) for one that no point has
std::vector<KeyedPoint> keyed_points(Command command, std::vector<Request> requests,
                                     const std::vector<std::string>& wanted);

/// `--list`: key and command, a line each. Refuses what running them would refuse, but touches no folder.
ExitCode print_points(Command command, const std::vector<KeyedPoint>& points);

/// What is wrong with any point is told before the first one runs.
void check_points(const std::vector<KeyedPoint>& points);

struct MeasuringWay {
  Request how;          // its sweep and output options hold for all points
  Selection selection;  // of the command: a task of Slurm says it again
  std::string name = "run";
  /// The points are built and not run.
  bool is_static = false;
  /// A reason not to try a point here; empty to try it. Not asked of points that run on other machines.
  std::function<std::string(const RunSpec& run)> why_not = nullptr;
};

/// Adds what was measured to the document, in the points' order.
void measure_points(const std::vector<KeyedPoint>& points, const MeasuringWay& way, Document& document);

}  // namespace nongemm::cli
