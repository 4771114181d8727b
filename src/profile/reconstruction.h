// The pass that times nodes on a device without being there: plain inferences of which host spans alone are known, put
// through the queue model.
#pragma once

#include <optional>
#include <span>

#include "flows/flow.h"
#include "profile/sampling.h"
#include "profile/timing_pass.h"
#include "record/node_pass.h"

namespace nongemm {

struct ReconstructedTiming {
  /// Timing::wall_s are of plain inferences with host spans; parts are of those of the host's most frequent speed.
  Timing timing;
  Reconstruction figures;
  std::size_t recorded = 0;  // inferences that durations are from
};

/// Takes turns of plain inferences, ones with host spans and recorded ones. Its figures say whether the parts may be
/// used.
/// @param attributed inferences of the attribution pass
/// @param busy_s device time of an inference
/// @param plain_s a plain inference
/// @return nothing where there is nothing to gain or to go by: the device does not wait for launches, inferences take
///         seconds, records are wanted or each sample has to be prepared, the session does not say how its device takes
///         up work
std::optional<ReconstructedTiming> reconstruct(Session& session, const Graph& graph, const PassSettings& settings,
                                               std::span<const Trace> attributed, double busy_s, double plain_s);

}  // namespace nongemm
