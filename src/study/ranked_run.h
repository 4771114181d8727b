// A point that several ranks measure: what one of them does beside what any run does.
#pragma once

#include <optional>

#include "analysis/rank_waits.h"
#include "flows/flow.h"
#include "profile/ranked_session.h"
#include "report/document.h"
#include "spec/run_spec.h"

namespace nongemm {

/// The other ranks, met, of the same program and graph. nullptr for one alone.
/// Throws Error(kFailed) where they differ.
Communicator* meet_ranks(const RunSpec& spec, const Graph& graph, Flow& flow, const RunOptions& options);

/// The limits of their collectives as the run's options want them; all ranks call it.
std::optional<CollectiveLimits> collective_limits_of(Communicator& ranks, const RunSpec& spec,
                                                     const RunOptions& options);

class RankedRun {
 public:
  /// Meets the other ranks where the point has several. Throws what meet_ranks() throws.
  RankedRun(const RunSpec& spec, const Graph& graph, Flow& flow, const RunOptions& options, Session& session);

  /// Of another rank than the first: does what that one wants until it is done. False for the first and for one alone.
  bool follows();
  /// What the passes drive.
  Session& session() { return leading_ ? static_cast<Session&>(*leading_) : session_; }
  /// Nothing where they are not known.
  const std::optional<CollectiveLimits>& limits() const { return limits_; }
  /// What the ranks did together, once it was measured; nullptr for one alone.
  const RankWaits* compare();
  /// Lets the others end, and adds the tables that tell of them.
  void finish(Point& point);

 private:
  Session& session_;
  const Graph& graph_;
  Communicator* ranks_ = nullptr;
  std::optional<CollectiveLimits> limits_;
  std::optional<LeadingSession> leading_;
  RankTraces traces_;
  std::optional<RankWaits> waits_;
};

}  // namespace nongemm
