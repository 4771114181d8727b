// The passes that tell nodes apart on a device with its own clock of work: one that says which node launches what, and
// one as light as can be that takes the times.
#pragma once

#include <vector>

#include "flows/flow.h"
#include "profile/sampling.h"
#include "record/record.h"

namespace nongemm {

/// Runs both passes. Parts are averaged over undisturbed iterations and scaled to the plain latency (without_overhead
/// in record/decomposition.h), so that they add up to it; NodePass::wall_s keeps the raw samples of the timing pass,
/// recording included. Where the device waits for launches an inference records one window (windows.h) if the session
/// can do that, unless each sample has to be prepared; an iteration is then as many inferences as there are windows.
/// When the kernels of the two passes do not match, as with models whose data decides what runs, times come from the
/// attribution pass, and NodePass::how says so. When the device cannot be traced at all, host times are what is left.
NodePass measure_on_device(Session& session, const Graph& graph, const PassSettings& settings, double plain_s);

/// Captures the model and measures its replay; the session replays from then on. The nodes of kernels come from the
/// capture, or, where that cannot tell, from the names in an eager attribution pass that is run before. Throws
/// Error(kUnsupported) when the model cannot be captured.
Phase measure_replay(Session& session, const Graph& graph, const PassSettings& settings);

}  // namespace nongemm
