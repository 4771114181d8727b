#include "studies/study_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace nongemm {
namespace {

/// Long lists of nodes, steps, their kernels and records are no part of a study.
bool is_kept(const Table& table) {
  const SectionInfo& info = *table.info;
  return !info.bulk && !info.columnar && info.report != ReportKind::kWorkload && info.id != "gaps" &&
         info.id != "timeline" && info.id != "step_kernels";
}

Point compact(Point point) {
  std::erase_if(point.tables, [](const Table& table) { return !is_kept(table); });
  point.samples.clear();
  return point;
}

std::vector<Point> compact_points(const Document& runs) {
  std::vector<Point> points;
  std::map<std::pair<std::string, int>, std::size_t> known;
  for (const Point& point : runs.points) {
    if (!point.setting(kStudySetting).empty()) continue;
    const auto [at, is_new] = known.try_emplace({point.key, point.process}, points.size());
    if (is_new || point.key.empty()) {
      points.push_back(compact(point));
    } else {
      points[at->second] = compact(point);
    }
  }
  return points;
}

}  // namespace

Document study_document(const Study& study, const Document& runs) {
  Document document{runs.context, compact_points(runs)};
  Point point;
  const Evidence evidence(document);
  const auto measured_runs = evidence.select([](const Run& run) { return run.point->status.ok(); });
  point.settings = {{kStudySetting, std::string(study.name)},
                    {"asks", std::string(study.asks)},
                    {"paper", study.paper.empty() ? "beyond the paper" : std::string(study.paper)}};
  if (!study.is_static) {
    point.settings.emplace_back("measured",
                                fmt::format("{} of {} points", measured_runs.size(), evidence.runs().size()));
  }
  point.command = fmt::format("nongemm study {}", study.name);
  point.tables = study.tables(evidence);
  std::erase_if(point.tables, [](const Table& table) { return table.rows.empty(); });
  document.points.insert(document.points.begin(), std::move(point));
  return document;
}

}  // namespace nongemm
