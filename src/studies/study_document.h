// What a study gives: a point with its tables, then the runs that they are made from.
#pragma once

#include "report/document.h"
#include "studies/study.h"

namespace nongemm {

/// @param runs what was measured, or the document of an earlier study, or both together: of a point that stands there
///        twice the last one counts. Without the tables that no study reads: a sweep's own journal and report keep
///        those.
/// The tables are made from what the document holds, so that they can be made again from it alone.
Document study_document(const Study& study, const Document& runs);

}  // namespace nongemm
