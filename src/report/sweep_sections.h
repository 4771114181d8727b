// All points of a sweep side by side, a row each: what a terminal shows of it, and what stands first in pages.
#pragma once

#include <vector>

#include "report/document.h"

namespace nongemm {

const std::vector<const SectionInfo*>& sweep_section_infos();

/// Whether these are several runs of models. Processes that measured one point alone are a sweep, too.
bool is_sweep_of_runs(const Document& document);

/// One point with a row for each; processes of one point share a row. What all have in common stays a setting.
Document runs_as_rows(const Document& document);
/// The same before the points themselves.
Document with_overview(const Document& document);

}  // namespace nongemm
