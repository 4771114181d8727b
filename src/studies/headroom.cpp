// Beyond the paper: each non-GEMM group held against the device's measured limits.
#include <fmt/format.h>

#include <cmath>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

std::vector<PlanPart> plan(const StudySetting& setting) {
  std::vector<PlanPart> parts = paper_parts(setting, setting.accelerator, {"--batch", "1"});
  if (!setting.quick) return parts;
  for (PlanPart& part : paper_parts(setting, "cpu", {"--batch", "1"})) parts.push_back(std::move(part));
  return parts;
}

/// The inference's speed-up if something were so, as the what-if table has it.
double speedup(const Run& run, const std::string& what) {
  const Table* table = find_table(*run.point, "what_if");
  if (table == nullptr) return kNotMeasured;
  for (std::size_t r = 0; r < table->rows.size(); ++r) {
    if (to_plain(value_at(*table, r, "what")) == what) return number_at(*table, r, "speedup");
  }
  return kNotMeasured;
}

void add_rows(const Run& run, std::vector<StudyHeadroomRow>& rows) {
  StudyHeadroomRow all;
  all.model = run.model;
  all.device = run.device;
  all.group = "all non-GEMM";
  all.time_s = 0;
  all.limit_s = 0;
  std::vector<StudyHeadroomRow> groups;
  for (const GroupTimes& group : run.groups) {
    if (group.gemm || group.time_s <= 0) continue;
    all.time_s += group.time_s;
    all.limit_s += group.limit_s;
    StudyHeadroomRow row;
    row.model = run.model;
    row.device = run.device;
    row.group = group.title;
    row.time_s = group.time_s;
    row.limit_s = group.limit_s;
    row.times_limit = group.limit_s > 0 ? group.time_s / group.limit_s : kNotMeasured;
    row.perfect = speedup(run, group.title + " at its limit");
    row.fused = speedup(run, group.title + " fused away");
    groups.push_back(std::move(row));
  }
  all.times_limit = all.limit_s > 0 ? all.time_s / all.limit_s : kNotMeasured;
  all.perfect = speedup(run, "all non-GEMM at its limit");
  all.fused = speedup(run, "all non-GEMM fused away");
  all.launched = speedup(run, run.on_host ? "executor free" : "all launches free");
  rows.push_back(std::move(all));
  constexpr std::size_t kMost = 4;  // groups are in the report's order, the costliest first
  for (std::size_t i = 0; i < std::min(kMost, groups.size()); ++i) rows.push_back(std::move(groups[i]));
}

std::vector<Table> tables(const Evidence& evidence) {
  std::vector<StudyHeadroomRow> rows;
  std::vector<const Run*> without;
  const auto runs = evidence.select(
      [](const Run& run) { return run.flow == kBaselineFlow && run.quantize.empty() && run.batch <= 1; });
  for (const Run* run : runs) {
    if (!run->measured) continue;
    if (find_table(*run->point, "what_if") == nullptr) {
      without.push_back(run);
    } else {
      add_rows(*run, rows);
    }
  }
  std::vector<StudySentence> sentences;
  for (const StudyHeadroomRow& row : rows) {
    if (row.group != "all non-GEMM" || std::isnan(row.perfect)) continue;
    sentences.push_back(
        {fmt::format("{} on {}", row.model, row.device),
         fmt::format(
             "With every non-GEMM operator at the device's limit the inference would be {:.2f} times as fast, with "
             "all of them fused away {:.2f} times, with {} {:.2f} times.",
             row.perfect, row.fused, row.device.starts_with("cpu") ? "no executor" : "free launches", row.launched)});
  }
  if (!without.empty()) {
    sentences.push_back(
        {"Missing", fmt::format("{} points have no what-if table and say nothing here: they were measured "
                                "without the device's limits (--no-limits), or too shortly to be trusted.",
                                without.size())});
  }
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_headroom_table(rows), make_study_run_table(run_rows(runs))};
}

}  // namespace

const Study& headroom_study() {
  static const Study kStudy{.name = "headroom",
                            .title = "Headroom",
                            .asks = "What would perfect kernels, perfect fusion and free launches win?",
                            .paper = "",
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
