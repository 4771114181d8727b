// The part of the field table for traces that other tools recorded: direct sums over the file.
#pragma once

#include <vector>

#include "analysis/collectives.h"
#include "analysis/tool_figures.h"
#include "report/field.h"

namespace nongemm {

const std::vector<const SectionInfo*>& trace_section_infos();

/// Those that the trace has figures for; the one row of the whole file first.
std::vector<Table> make_trace_tables(const ToolFigures& figures);
Table make_collectives_table(const std::vector<CollectiveSum>& sums);

}  // namespace nongemm
