// A collective alone: several ranks call it together, and the first one tells how long it took.
#pragma once

#include "microbench/measure_call.h"

namespace nongemm::microbench {

/// Bytes that each rank has to send for one call, whichever algorithm: over the time of a call they are the bus
/// bandwidth of nccl-tests.
/// @param bytes of the operand
double bus_bytes(const std::string& op, double bytes, int ranks);

/// All ranks of options.run call this. Another rank than the first gives no samples.
CallMeasurement measure_collective(const Call& call, Flow& flow, const CallOptions& options);

}  // namespace nongemm::microbench
