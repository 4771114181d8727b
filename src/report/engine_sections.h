// The part of the field table for runtimes that compile blocks of operators: what their own clock says, and what is
// known of the inside.
#pragma once

#include <vector>

#include "record/record.h"
#include "report/field.h"

namespace nongemm {

const std::vector<const SectionInfo*>& engine_section_infos();

/// Those that the phase has figures for.
std::vector<Table> make_engine_tables(const Entry& entry, const Phase& phase);

}  // namespace nongemm
