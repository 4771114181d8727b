// Options that say how the points of a sweep are gone through; no part of a point.
#include "base/error.h"
#include "spec/option_rows.h"

namespace nongemm::option_rows {
namespace {

OptionInfo of_sweep(OptionInfo info, unsigned commands) {
  info.section = OptionSection::kSweep;
  info.commands = commands;
  info.role = OptionRole::kOutput;
  return info;
}

void check_launcher(const Option& option, const std::string& text) {
  constexpr std::string_view kLocal = "local:";
  if (text == "slurm") return;
  if (text.starts_with(kLocal)) {
    read_integer(option, text.substr(kLocal.size()), {1, 1024});
    return;
  }
  throw Error(ErrorKind::kUsage, "unknown launcher '" + text + "'", "write local:4 (processes at once) or slurm");
}

void add_launchers(std::vector<Option>& rows) {
  Option launcher = text(
      of_sweep({.name = "launcher",
                .value = "LAUNCHER",
                .doc = "local:N: N isolated points at once, each with a GPU of its own; slurm: as array jobs",
                .otherwise = "one point after another"},
               kRun | kStudy),
      [](auto& r) -> auto& { return r.sweep.launcher; });
  launcher.set = [launcher](Request& request, const std::string& text) {
    check_launcher(launcher, text);
    request.sweep.launcher = text;
  };
  rows.push_back(std::move(launcher));
  rows.push_back(text(
      of_sweep({.name = "slurm-options",
                .value = "OPTIONS",
                .doc = "for sbatch: \"--partition=gpu --gres=gpu:1\"",
                .otherwise = "Slurm's own"},
               kRun | kStudy),
      [](auto& r) -> auto& { return r.sweep.slurm_options; }));
  rows.push_back(integer(
      of_sweep({.name = "points-per-task", .value = "N", .doc = "of Slurm, at most, of one model"}, kRun | kStudy),
      [](auto& r) -> auto& { return r.sweep.points_per_task; }, {1, 100'000}));
  rows.push_back(integer(
      of_sweep(
          {.name = "tasks-at-once", .value = "N", .doc = "of Slurm, at most", .otherwise = "as many as Slurm likes"},
          kRun | kStudy),
      [](auto& r) -> auto& { return r.sweep.tasks_at_once; }, {1, 100'000}, /*absent=*/0));
}

}  // namespace

std::vector<Option> sweep_rows() {
  std::vector<Option> rows;
  rows.push_back(flag(
      of_sweep({.name = "resume", .doc = "go on with the sweep that the journal holds: what is in it is not run again"},
               kRun | kOp | kStudy),
      [](auto& r) -> auto& { return r.sweep.resume; }));
  rows.push_back(text(
      of_sweep({.name = "journal",
                .value = "FILE",
                .doc = "where each point is kept as it ends; nongemm report makes a report of it at any time",
                .otherwise = "journal.jsonl in the output folder, for more than one point"},
               kRun | kOp | kStudy),
      [](auto& r) -> auto& { return r.sweep.journal; }));
  rows.push_back(text(
      of_sweep({.name = "point",
                .value = "KEY",
                .doc = "of the sweep's points those with these keys (--list prints them)",
                .otherwise = "all",
                .repeatable = true,
                .commas = true},
               kRun | kStudy),
      [](auto& r) -> auto& { return r.sweep.points; }));
  rows.push_back(flag(
      of_sweep({.name = "isolate",
                .doc = "each point in a process of its own: one that crashes, hangs or is killed is a row"},
               kRun | kStudy),
      [](auto& r) -> auto& { return r.sweep.isolate; }));
  rows.push_back(integer(of_sweep({.name = "processes",
                                   .value = "N",
                                   .doc = "measure each point in N processes of its own, all points in turns"},
                                  kRun | kStudy),
                         [](auto& r) -> auto& { return r.sweep.processes; }, {1, 1000}));
  rows.push_back(number(of_sweep({.name = "point-timeout",
                                  .value = "S",
                                  .doc = "seconds after which an isolated point is killed",
                                  .otherwise = "never"},
                                 kRun | kStudy),
                        [](auto& r) -> auto& { return r.sweep.point_timeout; }, {0.01, 1e7}));
  add_launchers(rows);
  return rows;
}

}  // namespace nongemm::option_rows
