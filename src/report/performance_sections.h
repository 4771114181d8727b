// The performance report's part of the field table: one inference end to end, by operator group and by operator, and a
// replay beside it.
#pragma once

#include <vector>

#include "report/sections.h"

namespace nongemm {

std::vector<const SectionInfo*> performance_section_infos();
std::vector<Table> make_performance_tables(const RunFigures& figures);

}  // namespace nongemm
