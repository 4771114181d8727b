// The part of the field table for comparisons: what is the same, faster or slower between two reports.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "report/document.h"

namespace nongemm {

struct ComparisonRow {
  std::string point = {};  // which of the points, where there are several
  std::string level = {};  // "inference", "replay", "group", "operator"
  std::string name = {};
  double base_s = std::numeric_limits<double>::quiet_NaN();
  double new_s = std::numeric_limits<double>::quiet_NaN();
  double ratio = std::numeric_limits<double>::quiet_NaN();  // new over base
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  double in_cycles = std::numeric_limits<double>::quiet_NaN();  // the ratio with the clocks taken out
  std::string verdict = {};
  std::string why = {};
  double p_value = std::numeric_limits<double>::quiet_NaN();
  std::int64_t processes = 0;
  std::int64_t needed = 0;  // processes that would probably decide it; 0 where that is not known
};

/// What two reports do not have in common.
struct ComparisonDifference {
  std::string what;
  std::string base;
  std::string fresh;
};

/// What stands in one of them alone.
struct ComparisonLeftover {
  std::string side;  // "base" or "new"
  std::string what;  // "point", "operator", "kernel"
  std::string name;
  double time_s = std::numeric_limits<double>::quiet_NaN();
};

const std::vector<const SectionInfo*>& compare_section_infos();

/// Whether it is what a comparison gives: first all inferences, then the parts of each.
bool is_comparison(const Document& document);

Table make_difference_table(const std::vector<ComparisonDifference>& differences);
/// Points as wholes.
Table make_comparison_table(const std::vector<ComparisonRow>& rows);
/// Groups and operators of one point.
Table make_part_table(const std::vector<ComparisonRow>& rows);
Table make_leftover_table(const std::vector<ComparisonLeftover>& leftovers);

}  // namespace nongemm
