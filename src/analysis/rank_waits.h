// Collectives of the ranks of one job in the same inferences: what of their time moved bytes, and what waited for a
// rank that came later, and why that one did.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "ops/group.h"
#include "record/collective_limits.h"
#include "record/rank_trace.h"
#include "record/tool_trace.h"

namespace nongemm {

/// One rank's collectives of one kind, per inference.
struct RankCollective {
  std::size_t rank = 0;
  std::string op;  // "_c10d_functional.all_reduce.default"
  double calls = 0;
  double bytes = 0;       // of its results, all calls
  double time_s = 0;      // transfer and waiting
  double transfer_s = 0;  // from when the last rank had come
  double waiting_s = 0;   // until then
  double hidden_s = 0;    // of the time, while the rank did something else
  /// What the transfer takes at the limits of collectives, all calls; NaN where they are not known.
  double limit_s = 0;
  double exposed_s() const { return time_s - hidden_s; }
};

/// What a rank waited for, per inference.
struct RankWait {
  std::size_t rank = 0;  // that waited
  std::size_t last = 0;  // for this one
  std::string op;        // what that one took longer for; empty: what cannot be told
  Group group = Group::kOther;
  bool idle = false;  // for what came before it: the device had no work, or the host was elsewhere
  double time_s = 0;  // longer by; below 0 where it was quicker
};

struct RankWaits {
  std::vector<RankCollective> collectives;    // by rank, the most time first
  std::vector<RankWait> waits;                // the longest first; those of a rank add up to its waiting
  std::vector<double> wall_s;                 // by rank
  std::vector<double> busy_s;                 // by rank: in any kernel, collectives included; on a host in any node
  std::vector<std::vector<double>> groups_s;  // by rank and group (kGroups): time inside nodes
  std::vector<double> device_clock_s;         // by rank: how far it was ahead of the first's; empty for hosts
  std::int64_t inferences = 0;                // that means are over
  std::int64_t unmatched = 0;                 // in which ranks did not have the same collectives
};

/// On a host a collective lasts from its call to the end of the wait for its result; on a device as long as its kernel.
/// Clocks of hosts are those that the ranks compared; those of devices are brought together by the collectives' ends,
/// at which ranks leave together. Where a host's steps were recorded beside a device, its idle time is charged to the
/// step that the host was in. Means over the inferences that no rank was slow in.
/// @param limits nullptr where they are not known
RankWaits rank_waits(const RankTraces& traces, const Graph& graph, const CollectiveLimits* limits = nullptr);

/// Whether the transfers were clearly quicker, all together, than the limits say is possible: those were then taken
/// while the devices were busy.
bool transfers_exceed(const RankWaits& waits);

/// Of files that another tool recorded of each rank, all of each file together. Their clocks are not known: ranks leave
/// a collective together, and the one that took least for it came last.
class ToolWaits {
 public:
  ToolWaits();
  ~ToolWaits();
  ToolWaits(const ToolWaits&) = delete;
  ToolWaits& operator=(const ToolWaits&) = delete;

  /// The next rank's, which is not needed afterwards.
  void add(const ToolTrace& trace);
  RankWaits finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nongemm
