// The ranks of a job, met through c10d: the group that collectives of a graph name, and what the program says beside.
#pragma once

#include <c10/core/Device.h>

#include <memory>

#include "flows/communicator.h"
#include "spec/rank_place.h"

namespace nongemm::torch_flow {

/// Meets the other ranks and makes their group known under passes::kRankGroup, for the host and for the device.
/// @throws Error (kFailed) for ranks that do not come within place.most_seconds, and a port in use; (kUnsupported) for
///         a device whose collectives are not built in
std::unique_ptr<Communicator> join_ranks(const RankPlace& place, c10::Device device);

}  // namespace nongemm::torch_flow
