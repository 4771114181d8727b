// Driving a session through its passes. Each pass records as little as it can, because recording changes what it
// measures; docs/measuring.md defines every figure.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flows/flow.h"
#include "profile/stopping.h"
#include "record/record.h"
#include "spec/measure_policy.h"

namespace nongemm {

/// One plain inference, in seconds.
double timed_run(Session& session);

/// Runs until caches, allocators and clocks have settled, or as often as the policy says; the times of all runs.
std::vector<double> warm_up(Session& session, const MeasurePolicy& policy);

/// When a pass under this policy ends.
std::unique_ptr<StoppingRule> rule_for(const MeasurePolicy& policy);

/// How many nodes the session's traces count: the steps of the runtime's program, or the graph's nodes.
std::size_t traced_nodes(const Session& session, const Graph& graph);

/// All passes of one phase, inference by inference.
/// @param on_device the session runs on a device with its own clock of work (TraceLevel::kTiming and kAttribution)
Record measure(Session& session, std::shared_ptr<const Graph> graph, const MeasurePolicy& policy, bool on_device);

}  // namespace nongemm
