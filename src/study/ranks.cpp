#include "study/ranks.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/temporary_folder.h"

namespace nongemm {
namespace {

constexpr const char* kMeeting = "NONGEMM_RANKS_MEET";

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? std::optional<std::string>(value) : std::nullopt;
}

std::optional<int> number(const char* name) {
  const std::optional<std::string> text = variable(name);
  if (!text) return std::nullopt;
  char* end = nullptr;
  const long value = std::strtol(text->c_str(), &end, 10);
  if (*end == '\0' && value >= 0 && value < 1'000'000) return static_cast<int>(value);
  throw Error(ErrorKind::kUsage, std::string(name) + "=" + *text + " is no number of ranks or a rank",
              "unset it, or start the ranks with torchrun, srun or without a launcher");
}

/// Variables that say it alike.
struct Launcher {
  const char* name;
  const char* rank;
  const char* ranks;
  const char* local;
};
constexpr Launcher kLaunchers[] = {{"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"},
                                   {"Slurm", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"}};

const Launcher* launcher() {
  for (const Launcher& one : kLaunchers) {
    if (number(one.rank) && number(one.ranks).value_or(1) > 1) return &one;
  }
  return nullptr;
}

std::string meeting_of(const Launcher& launcher) {
  if (const auto own = variable(kMeeting)) return *own;
  std::optional<std::string> host = variable("MASTER_ADDR");
  if (!host && variable("SLURM_NNODES") == "1") host = "127.0.0.1";
  if (!host) host = variable("SLURM_LAUNCH_NODE_IPADDR");
  std::optional<int> port = number("MASTER_PORT");
  // As far apart as Slurm's jobs and steps are.
  if (!port && number("SLURM_JOB_ID")) {
    port = 20000 + (*number("SLURM_JOB_ID") * 64 + number("SLURM_STEP_ID").value_or(0)) % 20000;
  }
  if (!host || !port) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("{} started this rank, and {} is not set", launcher.name, host ? "MASTER_PORT" : "MASTER_ADDR"),
        "set it to where rank 0 is, on all ranks alike");
  }
  const bool agent = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  return fmt::format("{}:{}:{}", agent ? "agent" : "tcp", *host, *port);
}

/// The one that failed first; a process that was killed tells more than those that missed it.
std::size_t culprit_of(const std::vector<ChildEnd>& ranks, std::optional<std::size_t> first) {
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    const bool killed = WIFSIGNALED(ranks[rank].wait_status) && !ranks[rank].ended_with_others;
    if (killed) return rank;
  }
  return first.value_or(0);
}

std::string told(const std::vector<ChildEnd>& ranks, std::size_t culprit) {
  std::string text = fmt::format("rank {} of {}: {}", culprit, ranks.size(), status_of(ranks[culprit], 0).reason);
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    if (rank == culprit || ranks[rank].wait_status == 0) continue;
    text += ranks[rank].ended_with_others ? fmt::format("; rank {} did not end and was killed", rank)
                                          : fmt::format("; rank {}: {}", rank, status_of(ranks[rank], 0).reason);
  }
  return text;
}

}  // namespace

std::optional<RankPlace> place_of_process(const RankPlace& wanted) {
  if (!wanted.is_one_of_several()) return std::nullopt;
  const Launcher* started_by = launcher();
  if (started_by == nullptr) return std::nullopt;
  RankPlace place = wanted;
  place.rank = *number(started_by->rank);
  const int ranks = *number(started_by->ranks);
  if (ranks != wanted.ranks) {
    throw Error(
        ErrorKind::kUsage,
        fmt::format("{} started {} ranks, --tensor-parallel asks for {}", started_by->name, ranks, wanted.ranks),
        "start as many as the model is cut for");
  }
  place.meeting = meeting_of(*started_by);
  return place;
}

bool is_started_here(const RankPlace& place) { return place.meeting.starts_with("file:"); }

RunSpec at_place(RunSpec spec, const RankPlace& place) {
  spec.runtime.place = place;
  if (spec.runtime.device.is_host()) {
    // Ranks of one host share its cores: with all of them for each, they would take turns. A launcher, or the user, may
    // have said it otherwise.
    if (spec.runtime.threads == 0 && is_started_here(place) && !variable("OMP_NUM_THREADS")) {
      const int cores = static_cast<int>(std::thread::hardware_concurrency());
      spec.runtime.threads = std::max(1, cores / place.ranks);
    }
    return spec;
  }
  // A launcher may let each rank see its own device alone.
  const std::optional<std::string> visible = variable("CUDA_VISIBLE_DEVICES");
  const bool one = visible && visible->find(',') == std::string::npos && !variable(kMeeting);
  const Launcher* started_by = launcher();
  if (!one) spec.runtime.device.index = number(started_by->local).value_or(place.rank);
  return spec;
}

RanksEnd run_ranks(const std::vector<std::string>& words, const RankPlace& place, bool journals, double most_seconds) {
  const TemporaryFolder folder;
  const std::string meeting = "file:" + (folder.path() / "ranks").string();
  constexpr double kGrace = 3.0;
  const ChildOptions options{
      .slots = static_cast<std::size_t>(place.ranks), .most_seconds = most_seconds, .seconds_after_failure = kGrace};
  RanksEnd end;
  end.ranks.resize(options.slots);
  std::optional<std::size_t> first;
  const auto task = [&](std::size_t rank, std::size_t) {
    ChildTask one;
    one.words = words;
    one.environment = {{"RANK", std::to_string(rank)},
                       {"WORLD_SIZE", std::to_string(place.ranks)},
                       {"LOCAL_RANK", std::to_string(rank)},
                       {kMeeting, meeting}};
    one.keeps_journal = journals;
    return one;
  };
  run_children(options.slots, options, task, [&](std::size_t rank, const ChildEnd& ended) {
    if (!first && ended.wait_status != 0) first = rank;
    end.ranks[rank] = ended;
  });
  if (!first) return end;
  const std::size_t culprit = culprit_of(end.ranks, first);
  end.kind = status_of(end.ranks[culprit], most_seconds).kind;
  end.failure = told(end.ranks, culprit);
  end.died = std::any_of(end.ranks.begin(), end.ranks.end(),
                         [](const ChildEnd& rank) { return WIFSIGNALED(rank.wait_status); });
  return end;
}

MeasurePoints in_ranks(std::function<std::vector<std::string>(std::size_t i)> words,
                       std::function<RankPlace(std::size_t i)> place, std::function<Point(std::size_t i)> row,
                       std::function<void(std::size_t i)> check, double most_seconds) {
  return [=](const std::vector<std::size_t>& wanted, const PointEnded& ended, const PointTells& tells) {
    for (const std::size_t i : wanted) {
      if (interrupted()) return;
      tells(i, fmt::format("by {} ranks", place(i).ranks));
      Point point = row(i);
      try {
        check(i);
      } catch (const std::exception& error) {  // in the model's words, not in those of each rank
        point.status = status_of(error);
        ended(i, std::move(point));
        continue;
      }
      const RanksEnd end = run_ranks(words(i), place(i), /*journals=*/true, most_seconds);
      std::optional<Point> left = point_of(end.ranks.front());
      if (!left && interrupted()) return;
      if (left) point = std::move(*left);
      // A rank's point may tell better why there are no figures than its end does.
      for (const ChildEnd& rank : end.ranks) {
        const std::optional<Point> other = point_of(rank);
        if (point.status.ok() && other && !other->status.ok()) point.status = other->status;
      }
      if (!end.failure.empty() && (end.died || point.status.ok())) point.status = {end.kind, end.failure};
      if (!end.failure.empty()) point.tables.clear();
      ended(i, std::move(point));
    }
  };
}

void require_same(Communicator& ranks, const Graph& graph, const std::string& runtime) {
  std::string operators;
  for (const Node& node : graph.nodes) operators += node.op + "\n";
  for (const Weight& weight : graph.weights) {
    operators += weight.name + to_string(graph.values[weight.value].type.shape) + "\n";
  }
  for (const Input& input : graph.inputs) {
    operators += input.name + to_string(graph.values[input.value].type.shape) + "\n";
  }
  const std::vector<std::string> own = {program_version(), runtime,
                                        fmt::format("{:016x} ({} nodes)", hash_of(operators), graph.nodes.size())};
  constexpr const char* kWhat[] = {"nongemm", "runtime", "graph"};
  for (std::size_t i = 0; i < own.size(); ++i) {
    const std::vector<std::string> all = ranks.exchange(own[i]);
    for (std::size_t rank = 1; rank < all.size(); ++rank) {
      if (all[rank] == all[0]) continue;
      throw Error(ErrorKind::kFailed,
                  fmt::format("rank {} has another {} than rank 0: {}, not {}", rank, kWhat[i], all[rank], all[0]),
                  "start all ranks with the same program, options and model");
    }
  }
}

}  // namespace nongemm
