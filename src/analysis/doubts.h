// What to know before the figures of a run are used.
#pragma once

#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "record/latency_pass.h"

namespace nongemm {

/// Whether the plain latency and the wall time that shares are of (Analysis::wall_s) are within 1.3 times of each
/// other. Where they are not, they are of different machines as it were: first inferences that were cold, a host that
/// had other work. Also true where one of them is not known.
bool passes_agree(const Analysis& analysis, const LatencyPass& plain);

/// In words; empty when there is nothing to say.
/// @param more that whoever made the record knows
std::string doubts_of(const Analysis& analysis, const LatencyPass& plain, const std::vector<std::string>& more = {});

}  // namespace nongemm
