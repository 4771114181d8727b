// The figures of a text generation: token by token, and each of its phases.
#pragma once

#include <vector>

#include "analysis/analysis.h"
#include "record/generation.h"
#include "record/record.h"
#include "report/field.h"

namespace nongemm {

struct GenerationFigures {
  const Record& record;
  const GenerationRecord& generation;
  const std::vector<Analysis>& analyses;  // by phase of the record
};

std::vector<Table> make_generation_tables(const GenerationFigures& figures);
std::vector<const SectionInfo*> generation_section_infos();

}  // namespace nongemm
