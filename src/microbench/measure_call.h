// The measurement of one call in one flow.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "flows/flow.h"
#include "microbench/call.h"
#include "profile/sampling.h"
#include "record/trace.h"

namespace nongemm::microbench {

struct CallOptions {
  RunOptions run;
  MeasurePolicy policy;
  /// Caches are written over before each call.
  bool cold = false;
};

struct CallMeasurement {
  int repeat = 1;              // calls per sample
  LatencyPass wall;            // per call, the flow's own time around it included
  std::vector<double> call_s;  // per call: its kernels on a device, the call itself on a host
  double gap_s = 0;            // device waits per call; 0 on a host
  double kernels = 0;          // per call; 0 on a host
  /// Of a collective between devices, without what ranks waited for one another; NaN where that is not known.
  double transfer_s = std::numeric_limits<double>::quiet_NaN();
  std::string how;  // what call_s is taken from
  std::vector<ObservedTypes> observed;
  Tf32Use fp32_in_tf32;
  bool incomplete = false;
};

/// Short calls are repeated in a row until a sample is long enough to be timed. Throws what the flow throws, and
/// Error(kOutOfMemory) before anything is allocated.
CallMeasurement measure_call(const Call& call, Flow& flow, const CallOptions& options);

/// How often a call that takes `seconds` stands in a sample.
int repeat_for(double seconds);

}  // namespace nongemm::microbench
