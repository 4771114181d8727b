// Tables of what was generated: each token in time, and the text.
#pragma once

#include <cstddef>
#include <vector>

#include "base/statistics.h"
#include "record/generation.h"
#include "report/field.h"

namespace nongemm {

/// The times of one token in all generations.
std::vector<double> at_position(const std::vector<std::vector<double>>& runs, std::size_t token);

/// Absent where nothing was measured.
inline FieldValue quantile_of(const std::vector<double>& samples, double fraction) {
  return samples.empty() ? FieldValue{} : FieldValue(quantile(samples, fraction));
}

const SectionInfo& token_section_info();
const SectionInfo& text_section_info();
Table make_token_table(const GenerationRecord& generation);
Table make_text_table(const GenerationRecord& generation);

}  // namespace nongemm
