// The run of a point that generates text (`--generate`): the prompt's pass and the steps after it, each with its
// passes.
#pragma once

#include "report/document.h"
#include "spec/run_spec.h"
#include "study/build.h"

namespace nongemm {

/// Fills the point's tables, samples and settings. Throws what building, preparing and running throw.
void run_generation(const RunSpec& spec, const Progress& progress, Point& point);

/// Throws what building the passes of the point throws.
void check_generation(const RunSpec& spec);

}  // namespace nongemm
