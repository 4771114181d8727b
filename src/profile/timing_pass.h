// The pass that takes the times of kernels, as light as can be: records without the nodes that launched them, which an
// attributed trace of the same model tells.
#pragma once

#include <cstddef>
#include <vector>

#include "flows/flow.h"
#include "profile/attribution.h"
#include "profile/sampling.h"
#include "record/decomposition.h"
#include "record/kernel_sums.h"

namespace nongemm {

/// CUPTI sets itself up during the first traced inferences: they do not count.
inline constexpr std::size_t kFirstRuns = 2;
/// Less matched kernel time than this is no match.
inline constexpr double kEnoughMatched = 0.995;

/// A device that is busy for longer than this share of an inference does not wait for launches: recording them all
/// slows nothing.
inline constexpr double kDeviceBound = 0.95;

struct Timing {
  std::vector<double> wall_s;   // of every traced inference
  std::vector<double> plain_s;  // of plain ones, taken in turns with them
  /// Of every inference, or, with windows, of every round of them put together.
  std::vector<Decomposition> parts;
  KernelSums kernels;
  double least_matched = 1.0;  // of any of these
  std::size_t windows = 1;     // recorded one in an inference
};

/// @param reference whose nodes the records get
/// @param busy_s device time of an inference
/// @param plain_s a plain inference
/// @return with least_matched below kEnoughMatched after the first inference that does not match
Timing time_nodes(Session& session, std::size_t node_count, PassSettings settings, const Trace& reference,
                  double busy_s, double plain_s);

/// Of a session that replays a capture and may know the nodes of its records.
/// @param reference an eager trace, for records whose nodes it does not know
Timing time_replay(Session& session, std::size_t node_count, const PassSettings& settings, const Trace& reference,
                   double plain_s);

inline double wall_of(const Trace& trace) { return static_cast<double>(trace.end_ns - trace.begin_ns) * 1e-9; }

}  // namespace nongemm
