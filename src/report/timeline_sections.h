// One inference in time: calls, waits, the device's records, and the longest gaps.
#pragma once

#include <vector>

#include "report/field.h"
#include "report/sections.h"

namespace nongemm {

std::vector<const SectionInfo*> timeline_section_infos();
/// None where nothing was recorded.
std::vector<Table> make_timeline_tables(const RunFigures& figures);

}  // namespace nongemm
