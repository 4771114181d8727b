// How `nongemm run` has its points measured elsewhere: options, words and environments of other processes.
#pragma once

#include <functional>

#include "spec/option_table.h"
#include "study/child.h"
#include "study/slurm.h"

namespace nongemm::cli {

/// Whether points are measured in processes of their own, on this host.
bool is_isolated(const SweepOptions& options);

/// Throws Error(kUsage) for options of the sweep that would have no effect, or that this point cannot have.
void check_sweep(const Request& request);

/// What runs a point in a process of its own; with --launcher local:N each slot has a GPU of its own.
std::function<ChildTask(std::size_t i, std::size_t slot)> child_task(
    std::function<const Request&(std::size_t i)> request);
ChildOptions child_options(const SweepOptions& options);

/// @param command the subcommand, and what its command line says: a task says it again
SlurmOptions slurm_options(const std::string& command, const Selection& selection, const Request& request);

}  // namespace nongemm::cli
