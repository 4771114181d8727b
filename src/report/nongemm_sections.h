// The nongemm report's part of the field table: variants and traits, what could be won, the operator trace.
#pragma once

#include <vector>

#include "report/sections.h"

namespace nongemm {

std::vector<const SectionInfo*> nongemm_section_infos();
std::vector<Table> make_nongemm_tables(const RunFigures& figures);

}  // namespace nongemm
