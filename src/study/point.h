// The run of one point. A failed point is a row with its reason.
#pragma once

#include "report/document.h"
#include "spec/request.h"
#include "study/baseline.h"
#include "study/build.h"

namespace nongemm {

/// Never throws for a point that cannot run: its status and reason say why.
/// @param baseline of the sweep's points so far
Point run_point(const RunSpec& spec, const Progress& progress, Baseline& baseline);

/// The point's row before anything is known of it: what was asked for.
Point row_of(Command command, const RunSpec& spec);

/// Static figures only (`nongemm inspect`). Throws what building the graph throws.
Point inspect_point(const RunSpec& spec);

}  // namespace nongemm
