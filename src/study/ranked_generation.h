// A text generation that several ranks measure: the first drives its passes, the others run what it runs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "generate/generation.h"
#include "profile/ranked_session.h"
#include "record/record.h"
#include "report/document.h"
#include "spec/run_spec.h"

namespace nongemm {

class RankedGeneration {
 public:
  /// Meets the other ranks where the run has several. Throws Error(kFailed) where they differ.
  RankedGeneration(const RunSpec& spec, GenerationGraphs& graphs, GenerationSessions& sessions, Flow& flow,
                   const RunOptions& options);
  ~RankedGeneration();
  RankedGeneration(const RankedGeneration&) = delete;
  RankedGeneration& operator=(const RankedGeneration&) = delete;

  /// Of another rank than the first: does what that one wants until it is done. False for the first and for one alone.
  bool follows(const Prompt& prompt);
  /// What the measurement drives.
  GenerationSteps& steps();
  /// Nothing where they are not known.
  const std::optional<CollectiveLimits>& limits() const { return limits_; }
  /// Lets the others end, and adds the tables that tell of what the ranks did together.
  void finish(const Record& record, Point& point);

 private:
  class Leading;

  GenerationGraphs& graphs_;
  GenerationSessions& sessions_;
  Communicator* ranks_ = nullptr;
  std::optional<CollectiveLimits> limits_;
  std::unique_ptr<Leading> leading_;
};

}  // namespace nongemm
