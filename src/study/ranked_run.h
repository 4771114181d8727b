// A point that several ranks measure: what one of them does beside what any run does.
#pragma once

#include <optional>

#include "flows/flow.h"
#include "profile/ranked_session.h"
#include "report/document.h"
#include "spec/run_spec.h"

namespace nongemm {

class RankedRun {
 public:
  /// Meets the other ranks and compares notes where the point has several. Throws Error(kFailed) where they differ.
  RankedRun(const RunSpec& spec, const Graph& graph, Flow& flow, const RunOptions& options, Session& session);

  /// Of another rank than the first: does what that one wants until it is done. False for the first and for one alone.
  bool follows();
  /// What the passes drive.
  Session& session() { return leading_ ? static_cast<Session&>(*leading_) : session_; }
  /// Lets the others end, and tells what ranks waited for.
  void finish(Point& point);

 private:
  Session& session_;
  const Graph& graph_;
  Communicator* ranks_ = nullptr;
  std::optional<LeadingSession> leading_;
};

}  // namespace nongemm
