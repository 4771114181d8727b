// How operators are counted, from what the user said of it.
#pragma once

#include "analysis/analysis.h"
#include "spec/run_spec.h"

namespace nongemm {

/// Reads the file of the user's own groups, once per process: its groups are known from then on.
/// Throws Error(kIo, kBadInput) naming the file and the line.
AnalysisOptions analysis_options(const Counting& counting);

}  // namespace nongemm
