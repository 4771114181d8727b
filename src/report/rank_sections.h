// The part of the field table for models that several ranks share.
#pragma once

#include <string>
#include <vector>

#include "analysis/rank_waits.h"
#include "report/field.h"

namespace nongemm {

/// What the tables are of.
struct RankFigures {
  const RankWaits* waits = nullptr;
  const std::vector<ClockOffset>* clocks = nullptr;
};

const std::vector<const SectionInfo*>& rank_section_infos();
std::vector<Table> make_rank_tables(const RankFigures& figures);
/// Of one rank, or of all.
Table make_waits_table(const std::vector<RankWait>& waits);

}  // namespace nongemm
