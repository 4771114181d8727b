// Driving a session through its passes. Each pass records as little as it can, because recording changes what it
// measures; docs/measuring.md defines every figure.
#pragma once

#include <memory>

#include "flows/flow.h"
#include "profile/sampling.h"
#include "record/record.h"
#include "spec/measure_policy.h"

namespace nongemm {

/// All passes of an inference, one after the other.
/// @param on_device the session runs on a device with its own clock of work (TraceLevel::kTiming and kAttribution)
Record measure(Session& session, std::shared_ptr<const Graph> graph, const PassSettings& settings, bool on_device);

}  // namespace nongemm
