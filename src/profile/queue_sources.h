// Recorded inferences of one model as they stand for one another, launch by launch: what a plan for the queue model
// (queue_plan.h) is made from and held against.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "record/trace.h"

namespace nongemm {

/// Inferences whose records are in the order of launching: position i of each is the same work.
class QueueSources {
 public:
  /// @param attributed at least one inference of TraceLevel::kAttribution
  /// @param recorded inferences of TraceLevel::kTimingSpans; ones that launched something else are left out
  QueueSources(std::span<const Trace> attributed, std::vector<Trace> recorded);

  /// Why there can be no plan; empty when there can.
  const std::string& obstacle() const { return obstacle_; }
  const std::vector<Trace>& attributed() const { return attributed_; }
  /// With the nodes and spans of the attributed ones.
  const std::vector<Trace>& recorded() const { return recorded_; }

 private:
  std::vector<Trace> attributed_;
  std::vector<Trace> recorded_;
  std::string obstacle_;
};

}  // namespace nongemm
