// The queue model held against inferences that were recorded.
#pragma once

#include <cstddef>
#include <span>

#include "profile/queue_plan.h"

namespace nongemm {

/// How far the model is from recorded inferences, fed with their spans and their kernels' durations.
struct QueueErrors {
  double start_ns = 0;  // mean distance of begins
  double gap_ns = 0;    // of nodes' mean gaps, the head among them, in sum
  double wall_ns = 0;   // mean of the inferences
};

/// @param in positions in QueueSources::recorded(), which should have had no part in the plan
/// @param node_count of the traces' nodes
QueueErrors errors_of(const QueuePlan& plan, const QueueSources& sources, std::span<const std::size_t> in,
                      const QueueConstants& constants, std::size_t node_count);

/// Plans from every other inference held against the rest, both ways.
/// @param of positions in QueueSources::recorded(), at least two
QueueErrors check_queue(const QueueSources& sources, std::span<const std::size_t> of, const QueueTimes& times,
                        std::size_t node_count);

}  // namespace nongemm
