// What ranks did between and in their collectives, whoever recorded it, and what follows of it: transfer, waiting, and
// what was waited for.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "analysis/rank_waits.h"

namespace nongemm {

/// What something that a rank did is called.
struct LaneLabel {
  std::string op;
  Group group = Group::kOther;
  double bytes = 0;                                           // of a collective's results
  double limit_s = std::numeric_limits<double>::quiet_NaN();  // of a collective
};
inline constexpr std::uint32_t kNoLabel = UINT32_MAX;

/// One collective of one rank, on the common clock.
struct LaneCall {
  std::uint32_t label = kNoLabel;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t hidden_ns = 0;
  std::int64_t time_ns() const { return end_ns - begin_ns; }
};

/// What a rank did between two collectives.
struct LaneStep {
  std::uint32_t label = kNoLabel;
  std::int64_t idle_ns = 0;  // since the step before
  std::int64_t busy_ns = 0;
};

struct RankLane {
  std::vector<LaneCall> calls;
  /// Of each call the steps since the call before; the last one is the call itself, which was idle for so long before.
  std::vector<std::vector<LaneStep>> before;

  /// A further call, after these steps.
  void add(const LaneCall& call, std::vector<LaneStep> steps, std::int64_t idle_ns);
};

/// When a collective began: when the last rank had come, on the common clock; or so long before its end as the rank
/// needed that took least, where the clocks are not known.
enum class Beginning : std::uint8_t { kByClock, kByDuration };

/// Sums over stretches of the same program.
class WaitSums {
 public:
  WaitSums(std::vector<LaneLabel> labels, std::size_t ranks, Beginning beginning);

  /// @return false for lanes that do not have the same collectives: they count as unmatched
  bool add(const std::vector<RankLane>& lanes);
  /// How far the ranks' devices' clocks were ahead of the first rank's, before they were brought together; none for
  /// hosts.
  void add_apart(const std::vector<std::int64_t>& ahead_ns);
  void add_wall(std::size_t rank, std::int64_t ns);
  void add_busy(std::size_t rank, std::int64_t ns);
  void add_group(std::size_t rank, std::uint32_t label, std::int64_t ns);
  /// Means where several stretches were added.
  RankWaits finish();

 private:
  void add_call(const std::vector<RankLane>& lanes, std::size_t call);
  void charge(const std::vector<RankLane>& lanes, std::size_t call, std::size_t rank, std::size_t last,
              std::int64_t waited_ns);
  void add_wait(std::size_t rank, std::size_t last, std::uint32_t label, bool idle, std::int64_t ns);

  std::vector<LaneLabel> labels_;
  Beginning beginning_;
  std::map<std::pair<std::size_t, std::string>, RankCollective> collectives_;
  std::map<std::tuple<std::size_t, std::size_t, std::string, bool>, RankWait> waits_;
  RankWaits result_;
};

}  // namespace nongemm
