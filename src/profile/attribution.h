// Which node launched what: a light trace takes the nodes of its records from an attributed one of the same program.
#pragma once

#include <cstddef>

#include "record/trace.h"

namespace nongemm {

/// How well the records of two traces of the same program fit.
struct RecordMatch {
  std::size_t matched = 0;
  std::size_t surplus = 0;  // records of the timing trace without a counterpart: they keep no node
  std::size_t missing = 0;  // records of the reference without a counterpart
  /// Their durations, of matched ones in the timing trace.
  double matched_ns = 0, surplus_ns = 0, missing_ns = 0;

  bool exact() const { return surplus == 0 && missing == 0; }
  /// Share of device time that has a counterpart, in the trace that has more without; 1 for no records at all.
  double matched_time() const;
  /// Share of the timing trace's device time that has a counterpart, whatever else the reference holds.
  double known_time() const;
  RecordMatch& operator+=(const RecordMatch& other);
};

/// Gives each device record of `timing` the node and span that its counterpart in `reference` has. Records of one
/// stream are compared in order, by kind and name (copies and fills by kind and size); where the two differ the longest
/// common sequence counts. More than kMostDifferences differences in a stream leave that stream unmatched: the traces
/// are of different programs, or the data decides what runs.
RecordMatch attribute(const Trace& reference, Trace& timing);

inline constexpr std::size_t kMostDifferences = 512;

}  // namespace nongemm
