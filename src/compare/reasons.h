// Why one inference takes longer than another, as far as two reports tell.
#pragma once

#include <string>
#include <vector>

#include "compare/matching.h"

namespace nongemm {

/// "work 1.50 times, device waits +1.2 ms, clock 1.98 GHz -> 1.75 GHz": what of the two points differs besides time.
std::vector<std::string> reasons_of(const PointPair& pair);

/// Kernels, by name, that ran in one of the two alone.
std::vector<ComparisonLeftover> kernels_alone(const PointPair& pair);

/// The median over processes of a figure in a section of one row; NaN where none has it.
double figure_of(const MeasuredPoint& point, std::string_view section, std::string_view column);

}  // namespace nongemm
