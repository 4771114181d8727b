// Options that would change nothing are refused: they are mistakes.
#pragma once

#include <vector>

#include "spec/option_table.h"

namespace nongemm {

/// What the options say is held against the models, flows and devices of all points: one of them has to care.
/// @throws Error (kUsage) naming the option and the reason; whatever finding the models throws
void check_effects(const Selection& selection, const std::vector<Request>& points);

/// The same of how points are run alone: where there is no model, or its plan knows the models.
/// @throws Error (kUsage) naming the option and the reason
void check_run_effects(const Selection& selection, const std::vector<Request>& points);

}  // namespace nongemm
