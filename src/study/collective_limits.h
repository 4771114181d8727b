// What collectives take at best is measured once for a set of devices and kept, as other limits are (limits_cache.h).
#pragma once

#include <optional>
#include <vector>

#include "flows/communicator.h"
#include "record/collective_limits.h"
#include "spec/device.h"

namespace nongemm {

/// Of the devices of these ranks. All of them call it, and the first one decides what is done and gets the answer;
/// nothing for the others, where they are not wanted, and where a device tells no times of its kernels. Two
/// measurements that disagree were taken beside other work: they are used, and not kept.
/// @param device of this rank
/// @param wanted by the first rank
/// @param anew measure them even when they are there
std::optional<CollectiveLimits> collective_limits_of(Communicator& ranks, const Device& device, bool wanted, bool anew);

/// For ranks that were faster than these limits say is possible: kept ones may come from a busy moment. Nothing when
/// there is no reason to doubt them: they were measured by this process or within the last hour.
bool may_be_raised(const CollectiveLimits& limits);
/// Measures them again and keeps of each point the better one; the other ranks call measure_collectives() meanwhile.
/// For the first rank.
CollectiveLimits raise_limits(Communicator& ranks, const CollectiveLimits& limits);

/// Those that are kept on disk, the fewest ranks first; nothing is measured.
std::vector<CollectiveLimits> kept_collective_limits();

}  // namespace nongemm
