// Recording an inference in windows. Recorded launches cost the host more than others, so a pass that records all of
// them slows an inference that waits for its launches. With one window of operators recorded in each inference, and
// the windows of several put together, every launch is recorded and each inference is disturbed little.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "profile/attribution.h"
#include "record/decomposition.h"

namespace nongemm {

/// An inference cut into windows. Neighbours share one operator: the end of its last record, which both have, is where
/// their times are joined.
class WindowPlan {
 public:
  /// @param reference an attributed inference, every record with its span; otherwise there is one window, the whole
  /// @param most of windows; fewer for short inferences, so that each holds some kernels
  WindowPlan(const Trace& reference, std::size_t most);

  /// In the order of running. The first is open at the begin, the last to the end.
  const std::vector<Window>& windows() const { return windows_; }

  /// Puts one inference together from inferences that recorded one window each, in the order of windows(). Its records
  /// have the nodes and spans of the reference. Between joints times are as they were recorded; begin and end are the
  /// first part's and, shifted, the last one's.
  /// @param parts get nodes, as attribute() gives them
  /// @param match how well their records fit the reference's
  /// @return nothing when a part lacks the records that it is joined by
  std::optional<Trace> join(std::span<Trace> parts, RecordMatch& match) const;

 private:
  std::vector<Window> windows_;
  std::vector<Trace> references_;  // what each window should have recorded
};

}  // namespace nongemm
