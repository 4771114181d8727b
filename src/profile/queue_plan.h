// What all inferences of a model have alike, for the queue model: what is launched when within which span, how long it
// runs, where the host waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "profile/queue_model.h"
#include "profile/queue_sources.h"
#include "record/limits.h"

namespace nongemm {

/// Under which a plan is to hold: recording makes calls that launch longer.
enum class QueueCondition : std::uint8_t { kRecorded, kPlain };

/// Durations are means of the middle half of recorded inferences. Where the device waited for a launch the begin of the
/// work tells when in its span the call returned; where it never did the attribution pass tells, less what recording
/// calls cost there. Where work stood in the queue its gap is its switch time.
/// @param from positions in QueueSources::recorded(), at least one
QueuePlan plan_queue(const QueueSources& sources, std::span<const std::size_t> from, const QueueTimes& times,
                     QueueCondition condition);

QueueConstants constants_of(const QueueTimes& times, QueueCondition condition);

}  // namespace nongemm
