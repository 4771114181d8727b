// The part of the field table for models that several ranks share.
#pragma once

#include <string_view>
#include <vector>

#include "analysis/rank_waits.h"
#include "report/field.h"

namespace nongemm {

/// What the tables are of: the same inferences of all ranks.
struct RankFigures {
  std::string_view phase;  // of a text generation: "prefill", "decode"; empty where there is one alone
  const RankWaits* waits = nullptr;
  const std::vector<ClockOffset>* clocks = nullptr;
};

const std::vector<const SectionInfo*>& rank_section_infos();
std::vector<Table> make_rank_tables(const std::vector<RankFigures>& phases);
Table make_collective_limits_table(const CollectiveLimits& limits);
/// Of one rank, or of all.
Table make_waits_table(const std::vector<RankWait>& waits);

}  // namespace nongemm
