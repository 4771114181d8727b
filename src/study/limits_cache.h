// Device limits are measured at first use and kept: they take seconds and do not change.
#pragma once

#include <optional>

#include "flows/flow.h"

namespace nongemm {

/// From $XDG_CACHE_HOME/nongemm (or ~/.cache/nongemm), measured and stored when they are not there yet. When
/// the flow measures none, the torch flow's of the same device; nothing when that cannot, either. A cache that cannot
/// be written, or is not what this program wrote for this user, costs time and a warning, not the run. Two measurements
/// that disagree were taken beside other work: they are used, and not kept. Nothing when interrupted.
/// @param anew measure them even when they are there: the machine was busy then, or has changed
std::optional<DeviceLimits> limits_of(Flow& flow, const RunOptions& options, bool anew);

/// Those that are kept on disk, with the runtime's own number of threads; nothing is measured.
std::optional<DeviceLimits> kept_limits(const Device& device);

/// For a run that was faster than limits_of() says is possible: kept limits may come from a busy moment. Measures them
/// again and keeps of each figure the better one. Nothing when there is no reason to doubt them: they were measured by
/// this process or within the last hour.
std::optional<DeviceLimits> raise_limits(Flow& flow, const RunOptions& options);

}  // namespace nongemm
