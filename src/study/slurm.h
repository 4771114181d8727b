// A sweep as array jobs of Slurm, by its own commands (sbatch, squeue, scontrol, scancel): nothing is linked.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "study/sweep.h"

namespace nongemm {

struct SlurmOptions {
  std::filesystem::path folder;          // on a file system that all nodes share; tasks leave their journals there
  std::vector<std::string> run;          // what runs the sweep, after the program: {"run", "plan.toml", "--isolate"}
  std::vector<std::string> job_options;  // for sbatch: {"--partition=gpu", "--gres=gpu:1"}
  std::size_t points_per_task = 25;
  int at_once = 0;  // tasks that run at once; 0: as Slurm likes
};

/// Points packed into tasks, model by model; each task is `run` with `--point KEYS` and a journal of its own, so that
/// one that Slurm begins again goes on where it was. Jobs of an earlier call that still run are waited for, and what
/// they left is collected. Points that no task left are submitted again, twice; then they are rows.
/// @param points of the sweep; processes of one point share its key
/// @param row a point without figures
/// The function throws Error(kFailed) with Slurm's words when it refuses, Error(kUnsupported) where there is none.
MeasurePoints in_slurm(const std::vector<SweepPoint>& points, std::function<Point(std::size_t i)> row,
                       SlurmOptions options);

}  // namespace nongemm
