#include "cli/rank_points.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cli/command.h"
#include "study/build.h"
#include "study/generation_point.h"
#include "study/point.h"
#include "study/ranks.h"

namespace nongemm::cli {
namespace {

bool is_by_ranks(const Request& request) { return request.run.runtime.place.is_one_of_several(); }

/// What no rank could run, told once.
void check(const RunSpec& run) {
  if (run.generate.tokens > 0) return check_generation(run);
  (void)build_model(run, [](const std::string&) {});
}

}  // namespace

std::optional<RankPlace> own_place(const std::vector<KeyedPoint>& points) {
  std::optional<RankPlace> place;
  for (const KeyedPoint& point : points) {
    if (const auto found = place_of_process(point.request.run.runtime.place)) place = found;
  }
  return place;
}

bool writes_reports(const std::vector<KeyedPoint>& points) {
  const std::optional<RankPlace> place = own_place(points);
  return !place || place->rank == 0;
}

MeasurePoints with_ranks(const std::vector<KeyedPoint>& points, MeasurePoints otherwise) {
  const bool several =
      std::any_of(points.begin(), points.end(), [](const KeyedPoint& point) { return is_by_ranks(point.request); });
  if (!several) return otherwise;
  const auto request = [&points](std::size_t i) -> const Request& { return points[i % points.size()].request; };
  const MeasurePoints by_ranks = in_ranks(
      [request](std::size_t i) { return option_table().words_of(kRun, request(i)); },
      [request](std::size_t i) { return request(i).run.runtime.place; },
      [request](std::size_t i) { return row_of(kRun, request(i).run); },
      [request](std::size_t i) { check(request(i).run); }, points.front().request.sweep.point_timeout.value_or(0));
  return [=, otherwise = std::move(otherwise)](const std::vector<std::size_t>& wanted, const PointEnded& ended,
                                               const PointTells& tells) {
    std::vector<std::size_t> several_ranks;
    std::vector<std::size_t> alone;
    for (const std::size_t i : wanted) (is_by_ranks(request(i)) ? several_ranks : alone).push_back(i);
    if (!alone.empty()) otherwise(alone, ended, tells);
    if (!several_ranks.empty()) by_ranks(several_ranks, ended, tells);
  };
}

}  // namespace nongemm::cli
