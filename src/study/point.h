// The run of one point. A failed point is a row with its reason.
#pragma once

#include "report/document.h"
#include "spec/run_spec.h"
#include "study/baseline.h"
#include "study/build.h"

namespace nongemm {

/// Never throws for a point that cannot run: its status and reason say why.
/// @param baseline of the sweep's points so far
Point run_point(const RunSpec& spec, const Progress& progress, Baseline& baseline);

/// Static figures only (`nongemm inspect`). Throws what building the graph throws.
Point inspect_point(const RunSpec& spec);

}  // namespace nongemm
