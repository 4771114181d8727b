#include "study/ranked_run.h"

#include <iterator>
#include <vector>

#include "report/rank_sections.h"
#include "study/collective_limits.h"
#include "study/ranks.h"

namespace nongemm {

Communicator* meet_ranks(const RunSpec& spec, const Graph& graph, Flow& flow, const RunOptions& options) {
  if (!spec.runtime.place.is_one_of_several()) return nullptr;
  Communicator& ranks = flow.communicator(options);
  require_same(ranks, graph, flow.info().version);
  return &ranks;
}

std::optional<CollectiveLimits> collective_limits_of(Communicator& ranks, const RunSpec& spec,
                                                     const RunOptions& options) {
  if (options.progress) options.progress("limits of collectives");
  return collective_limits_of(ranks, options.device, spec.limits, spec.fresh_limits);
}

RankedRun::RankedRun(const RunSpec& spec, const Graph& graph, Flow& flow, const RunOptions& options, Session& session)
    : session_(session), graph_(graph), ranks_(meet_ranks(spec, graph, flow, options)) {
  if (ranks_ == nullptr) return;
  limits_ = collective_limits_of(*ranks_, spec, options);
  if (ranks_->rank() == 0) leading_.emplace(session, *ranks_);
}

bool RankedRun::follows() {
  if (ranks_ == nullptr || leading_) return false;
  follow(session_, *ranks_);
  return true;
}

const RankWaits* RankedRun::compare() {
  if (!leading_) return nullptr;
  traces_ = leading_->gather();
  waits_ = rank_waits(traces_, graph_, limits_ ? &*limits_ : nullptr);
  if (limits_ && transfers_exceed(*waits_) && may_be_raised(*limits_)) {
    leading_->ask_for_limits();
    limits_ = raise_limits(*ranks_, *limits_);
    waits_ = rank_waits(traces_, graph_, &*limits_);
  }
  return &*waits_;
}

void RankedRun::finish(Point& point) {
  if (!leading_) return;
  end_ranks(*ranks_);
  if (!waits_ || waits_->inferences == 0) return;
  std::vector<Table> tables = make_rank_tables({{"", &*waits_, &traces_.clocks}});
  if (limits_) tables.push_back(make_collective_limits_table(*limits_));
  point.tables.insert(point.tables.begin() + 1, std::make_move_iterator(tables.begin()),
                      std::make_move_iterator(tables.end()));
}

}  // namespace nongemm
