// The part of the field table for runtimes that compile blocks of operators: what their own clock says, and what is
// known of the inside.
#pragma once

#include <vector>

#include "profile/measurement.h"
#include "report/field.h"

namespace nongemm {

const std::vector<const SectionInfo*>& engine_section_infos();

/// Those that the measurement has figures for.
std::vector<Table> make_engine_tables(const Measurement& measurement);

}  // namespace nongemm
