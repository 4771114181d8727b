#include "cli/points.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "cli/command.h"
#include "cli/launch.h"
#include "cli/rank_points.h"
#include "study/child.h"
#include "study/counting.h"
#include "study/output.h"
#include "study/point.h"
#include "study/ranks.h"
#include "study/sweep.h"

namespace nongemm::cli {
namespace {

/// A round of all points after another where several processes measure each: a machine that drifts does so for all.
Sweep sweep_of(const std::vector<KeyedPoint>& points, int processes) {
  Sweep sweep;
  for (int process = 1; process <= processes; ++process) {
    for (const KeyedPoint& point : points) {
      const RunSpec& run = point.request.run;
      sweep.points.push_back({run.model, point.key, run.flow, processes > 1 ? process : 0});
    }
  }
  sweep.say = say_on_terminal;
  sweep.runtime_version = runtime_version_elsewhere;
  return sweep;
}

using RequestAt = std::function<const Request&(std::size_t i)>;

/// Points that cannot run here are rows at once; the others are measured.
MeasurePoints unless_unavailable(MeasurePoints measure, const RequestAt& request,
                                 std::function<std::string(const RunSpec& run)> why_not) {
  return [measure = std::move(measure), request, why_not = std::move(why_not)](
             const std::vector<std::size_t>& wanted, const PointEnded& ended, const PointTells& tells) {
    std::vector<std::size_t> possible;
    for (const std::size_t i : wanted) {
      const std::string reason = why_not(request(i).run);
      if (reason.empty()) {
        possible.push_back(i);
        continue;
      }
      Point row = row_of(kRun, request(i).run);
      row.status = {StatusKind::kUnsupported, reason};
      ended(i, std::move(row));
    }
    measure(possible, ended, tells);
  };
}

/// Where and how the points are measured, as the options say.
MeasurePoints measured(const Sweep& sweep, const RequestAt& request, const MeasuringWay& way, Baseline& baseline) {
  const SweepOptions& options = way.how.sweep;
  const auto row = [request](std::size_t i) { return row_of(kRun, request(i).run); };
  if (options.launcher == "slurm") return in_slurm(sweep.points, row, slurm_options(way.name, way.selection, way.how));
  MeasurePoints measure;
  if (is_isolated(options)) {
    measure = in_children(child_task(request), row, child_options(options));
  } else {
    measure = in_this_process([&baseline, request](std::size_t i, const Progress& progress) {
      return run_point(request(i).run, progress, baseline);
    });
  }
  return way.why_not ? unless_unavailable(std::move(measure), request, way.why_not) : measure;
}

}  // namespace

std::vector<KeyedPoint> keyed_points(Command command, std::vector<Request> requests,
                                     const std::vector<std::string>& wanted) {
  std::vector<KeyedPoint> points;
  std::set<std::string> known;
  for (Request& request : requests) {
    std::string key = option_table().key_of(command, request);
    if (known.insert(key).second) points.push_back({std::move(key), std::move(request)});
  }
  if (wanted.empty()) return points;
  for (const std::string& key : wanted) {
    if (known.count(key) > 0) continue;
    throw Error(ErrorKind::kUsage, fmt::format("no point of the sweep has the key '{}'", key),
                "--list prints the keys");
  }
  std::erase_if(points, [&](const KeyedPoint& point) {
    return std::find(wanted.begin(), wanted.end(), point.key) == wanted.end();
  });
  return points;
}

namespace {

void check_each(const std::vector<KeyedPoint>& points) {
  for (const KeyedPoint& point : points) {
    analysis_options(point.request.run.counting);
    check_sweep(point.request);
  }
}

}  // namespace

ExitCode print_points(Command command, const std::vector<KeyedPoint>& points) {
  for (const std::string& format : points.front().request.output.formats) find_writer(format);
  check_each(points);
  for (const KeyedPoint& point : points) {
    fmt::print("{}\t{}\n", point.key, option_table().command_of(command, point.request));
  }
  return kSuccess;
}

void check_points(const std::vector<KeyedPoint>& points) {
  check_output(points.front().request.output);
  check_each(points);
}

void measure_points(const std::vector<KeyedPoint>& points, const MeasuringWay& way, Document& document) {
  Sweep sweep = sweep_of(points, way.how.sweep.processes);
  Baseline baseline;
  baseline.want_as_it_is(std::any_of(points.begin(), points.end(), [](const KeyedPoint& point) {
    return point.request.run.options.quantize.scheme != QuantizeScheme::kNone;
  }));
  const RequestAt request = [&points](std::size_t i) -> const Request& { return points[i % points.size()].request; };
  const std::optional<RankPlace> place = own_place(points);
  if (way.is_static) {
    sweep.measure =
        in_this_process([request](std::size_t i, const Progress&) { return inspect_point(request(i).run); });
  } else if (place) {
    sweep.measure = in_this_process([&baseline, request, place](std::size_t i, const Progress& progress) {
      return run_point(at_place(request(i).run, *place), progress, baseline);
    });
  } else {
    sweep.measure = with_ranks(points, measured(sweep, request, way, baseline));
  }
  if (writes_reports(points) || is_started_here(*place)) {
    run_sweep_with_journal(way.how, sweep, document);
  } else {
    run_sweep(sweep, document);
  }
}

}  // namespace nongemm::cli
