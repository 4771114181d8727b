#include "study/ranked_run.h"

#include <iterator>
#include <vector>

#include "analysis/rank_waits.h"
#include "report/rank_sections.h"
#include "study/ranks.h"

namespace nongemm {

RankedRun::RankedRun(const RunSpec& spec, const Graph& graph, Flow& flow, const RunOptions& options, Session& session)
    : session_(session), graph_(graph) {
  const RankPlace place = spec.runtime.place;
  if (!place.is_one_of_several()) return;
  ranks_ = &flow.communicator(options);
  require_same(*ranks_, graph, flow.info().version);
  if (place.rank == 0) leading_.emplace(session, *ranks_);
}

bool RankedRun::follows() {
  if (ranks_ == nullptr || leading_) return false;
  follow(session_, *ranks_);
  return true;
}

void RankedRun::finish(Point& point) {
  if (!leading_) return;
  const RankTraces traces = leading_->finish();
  const RankWaits waits = rank_waits(traces, graph_);
  if (waits.inferences == 0) return;
  std::vector<Table> tables = make_rank_tables({&waits, &traces.clocks});
  point.tables.insert(point.tables.begin() + 1, std::make_move_iterator(tables.begin()),
                      std::make_move_iterator(tables.end()));
}

}  // namespace nongemm
