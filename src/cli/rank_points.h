// Points that several ranks measure: by processes of theirs, or by this one, where it is a rank itself.
#pragma once

#include <optional>
#include <vector>

#include "cli/points.h"
#include "spec/rank_place.h"
#include "study/sweep.h"

namespace nongemm::cli {

/// This process as one rank of all points, which then have as many; nothing where it is none.
std::optional<RankPlace> own_place(const std::vector<KeyedPoint>& points);

/// Of ranks that a launcher started, the first alone writes reports and journals.
bool writes_reports(const std::vector<KeyedPoint>& points);

/// Points of several ranks by processes of theirs; the others as `otherwise` says.
/// @param points outlive what is returned
MeasurePoints with_ranks(const std::vector<KeyedPoint>& points, MeasurePoints otherwise);

}  // namespace nongemm::cli
