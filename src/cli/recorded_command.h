// The command that a report recorded for a point, read again.
#pragma once

#include <string>

#include "graph/graph.h"
#include "study/point.h"

namespace nongemm::cli {

/// What `nongemm run ...` of a report's point says of its model. Throws Error(kBadInput) for what is no such command.
PointSpec read_recorded_command(const std::string& command);

/// The graph that the point was made from, built again. Throws what building the model or reading its inputs throws.
Graph graph_of_point(const PointSpec& spec);

}  // namespace nongemm::cli
