// The runtime's own clock on its steps, in a pass of its own: it waits between steps, so that they add up to more than
// the latency.
#pragma once

#include <optional>

#include "flows/flow.h"
#include "profile/sampling.h"
#include "record/node_pass.h"

namespace nongemm {

/// Absent when the runtime offers no such clock.
std::optional<StepPass> measure_steps(Session& session, const PassSettings& settings);

}  // namespace nongemm
