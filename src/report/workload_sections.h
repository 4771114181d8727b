// The workload report's part of the field table: what is computed: calls with shapes, work and bytes.
#pragma once

#include <vector>

#include "report/sections.h"

namespace nongemm {

std::vector<const SectionInfo*> workload_section_infos();
std::vector<Table> make_workload_tables(const RunFigures& figures);

}  // namespace nongemm
