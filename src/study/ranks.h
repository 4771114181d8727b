// The processes of a model that several ranks share: started here or by a launcher, and ended together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "flows/communicator.h"
#include "graph/graph.h"
#include "spec/rank_place.h"
#include "spec/run_spec.h"
#include "study/child.h"

namespace nongemm {

/// Which rank this process is, where one was started: by this program, torchrun (RANK, WORLD_SIZE, MASTER_ADDR,
/// MASTER_PORT) or Slurm (SLURM_PROCID, SLURM_NTASKS). Nothing where none was, or `ranks` is 1.
/// @throws Error (kUsage) for a launcher that started another number of ranks, or does not say where they meet
std::optional<RankPlace> place_of_process(const RankPlace& wanted);

/// Whether this program started it, and not a launcher of the user's.
bool is_started_here(const RankPlace& place);

/// The point as this process runs it: its rank, its part of the graph and its device (LOCAL_RANK, SLURM_LOCALID).
RunSpec at_place(RunSpec spec, const RankPlace& place);

/// How the ranks of one job ended.
struct RanksEnd {
  std::string failure;  // who failed and with which words; empty when all went well
  StatusKind kind = StatusKind::kOk;
  bool died = false;  // that one was killed, or did not end: the others' words tell only that they miss it
  std::vector<ChildEnd> ranks;
};

/// Starts this program once for each rank and waits for all. A rank that fails or dies ends the others.
/// @param words after the program's name
RanksEnd run_ranks(const std::vector<std::string>& words, const RankPlace& place, bool journals, double most_seconds);

/// Each point by ranks of its own; the first rank's point is kept.
/// @param words of a point, as ChildTask has them
/// @param check throws for a point that no rank could run
MeasurePoints in_ranks(std::function<std::vector<std::string>(std::size_t i)> words,
                       std::function<RankPlace(std::size_t i)> place, std::function<Point(std::size_t i)> row,
                       std::function<void(std::size_t i)> check, double most_seconds);

/// Ranks that run different programs or graphs wait for one another in vain.
/// @throws Error (kFailed) naming what differs
void require_same(Communicator& ranks, const Graph& graph, const std::string& runtime);

}  // namespace nongemm
