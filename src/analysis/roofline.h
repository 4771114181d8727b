// How far operators are from what the device can do, and what reaching it would win (the what-if table).
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "analysis/rank_waits.h"
#include "record/limits.h"

namespace nongemm {

/// Operations per second of matrix products in the node's arithmetic; NaN when not measured, as for float64.
double product_rate(const NodeRow& node, const DeviceLimits& limits);

/// Least time of one call on this device: its work at the measured rate of its arithmetic, or its bytes at the measured
/// bandwidth, whichever is longer, and no less than the shortest kernel or call. NaN when the limits it needs were not
/// measured.
double time_at_limit(const NodeRow& node, const DeviceLimits& limits);

/// Whether the matrix products of a run were clearly faster, all together, than the measured rate of their
/// arithmetic allows: the limits were then taken while the device was busy. Operands in caches make products of few
/// operations no faster than the rate, so this is said of work, not of bytes.
bool products_exceed(const Analysis& analysis, const DeviceLimits& limits);

/// One supposition and what it would make of the latency.
struct WhatIf {
  std::string what;  // "Normalization at its limit", "all launches free"
  double now_s = 0;  // of the parts it concerns
  double then_s = 0;
  double latency_s = 0;  // of the whole inference
  double speedup = 1;
};

struct Roofline {
  /// What concerns everything first, then group by group, the costliest first.
  std::vector<WhatIf> what_if;
};

/// @param analysis made with limits
/// @param latency_s of the plain pass; suppositions are subtracted from it in proportion
/// @param ranks what several ranks did in the same inferences; nullptr for one alone. Their communication is told by
///        collectives: transfer at the limit, waiting that is gone, both hidden. Means over ranks: evened out, a
///        stretch between two collectives takes what the ranks take for it on average.
Roofline make_roofline(const Analysis& analysis, double latency_s, const RankWaits* ranks = nullptr);

}  // namespace nongemm
