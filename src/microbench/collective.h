// A collective alone: several ranks call it together, and the first one tells how long it took.
#pragma once

#include "microbench/measure_call.h"

namespace nongemm::microbench {

/// All ranks of options.run call this. Another rank than the first gives no samples.
CallMeasurement measure_collective(const Call& call, Flow& flow, const CallOptions& options);

}  // namespace nongemm::microbench
