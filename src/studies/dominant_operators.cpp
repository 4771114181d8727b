// Table IV: the most time-consuming non-GEMM group of each model.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

std::vector<PlanPart> plan(const StudySetting& setting) {
  std::vector<PlanPart> parts = paper_parts(setting, setting.accelerator, {"--batch", "1"});
  if (!setting.quick) return parts;
  // Where there is no GPU the quick study still says something, of the CPU.
  for (PlanPart& part : paper_parts(setting, "cpu", {"--batch", "1"})) parts.push_back(std::move(part));
  return parts;
}

std::string agreement_of(const StudyDominantRow& row) {
  if (row.paper_group.empty()) return "";
  std::vector<std::string> ways;
  if (row.group_published == row.paper_group) ways.emplace_back("published way");
  if (row.group_charged == row.paper_group) ways.emplace_back("waits charged");
  if (row.group_device == row.paper_group) ways.emplace_back("device time");
  if (ways.size() == 3) return "yes";
  return ways.empty() ? "no" : fmt::format("{}", fmt::join(ways, ", "));
}

StudyDominantRow row_of(const Run& run) {
  StudyDominantRow row;
  row.model = run.model;
  row.task = run.task;
  const NamedShare device = dominant(run, &ThreeShares::device);
  const NamedShare charged = dominant(run, &ThreeShares::charged);
  const NamedShare published = dominant(run, &ThreeShares::published);
  row.group_device = device.name;
  row.group_charged = charged.name;
  row.group_published = published.name;
  row.share = {device.share, charged.share, published.share};
  return row;
}

void add_paper(const paper::ModelFigures& figures, const Run* run, StudyDominantRow& row) {
  row.paper_group = figures.dominant_group;
  row.paper_share = figures.dominant_share;
  if (run == nullptr || !run->measured) {
    row.reason = why_not(run);
    return;
  }
  row.share_of_paper_group = shares_of_named(*run, row.paper_group);
  row.agree = agreement_of(row);
  const double ours = compared(row.share_of_paper_group);
  const std::string first = row.group_published.empty() ? row.group_charged : row.group_published;
  if (first != row.paper_group) {
    row.reason = fmt::format("{} leads here with {}, {} has {}; {}", first, percent(compared(row.share)),
                             row.paper_group, percent(ours), differences_of(*run));
  } else if (std::abs(ours - row.paper_share) > kClose) {
    row.reason = differences_of(*run);
  }
}

/// The paper's figures are of a GPU; a CPU's stand in where there is no other, and are said to.
const Run* run_of(const Evidence& evidence, const std::string& model, bool any_gpu) {
  return evidence.torch(model, !any_gpu);
}

std::vector<Table> tables(const Evidence& evidence) {
  const bool any_gpu = evidence.find([](const Run& run) { return !run.on_host && run.measured; }) != nullptr;
  std::vector<StudyDominantRow> rows;
  std::vector<const Run*> shown;
  std::size_t there = 0;
  std::size_t same = 0;
  std::map<std::string, std::size_t> leaders;
  for (const paper::ModelFigures& figures : paper::models()) {
    const std::string model(figures.model);
    const Run* run = run_of(evidence, model, any_gpu);
    StudyDominantRow row;
    row.model = model;
    if (run != nullptr && run->measured) {
      row = row_of(*run);
      shown.push_back(run);
      ++there;
    }
    add_paper(figures, run, row);
    const std::string& first = row.group_published.empty() ? row.group_charged : row.group_published;
    if (first == row.paper_group) ++same;
    if (!first.empty()) ++leaders[first];
    rows.push_back(std::move(row));
  }
  for (const Run& run : evidence.runs()) {
    const bool further =
        run.measured && run.on_host != any_gpu && run.batch == 1 && run.flow == kBaselineFlow && run.quantize.empty();
    const bool known = std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.model == run.model; });
    if (further && !known) rows.push_back(row_of(run));
  }
  std::vector<StudySentence> sentences;
  std::vector<std::string> parts;
  for (const auto& [group, count] : leaders) parts.push_back(fmt::format("{} in {}", group, count));
  sentences.push_back(
      {"Agreement", there == 0 ? std::string("No model of Table IV has figures of ours yet.")
                               : fmt::format("{}The paper's dominant group is ours in {}. Dominant here: {}.",
                                             any_gpu ? "" : "These are figures of a CPU; the paper's are of a GPU. ",
                                             count_of(same, there, "models with figures"), fmt::join(parts, ", "))});
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_dominant_table(rows),
          make_study_run_table(run_rows(evidence.select([](const Run& run) { return run.flow == kBaselineFlow; })))};
}

}  // namespace

const Study& dominant_operators_study() {
  static const Study kStudy{.name = "dominant-operators",
                            .title = "The dominant non-GEMM operators",
                            .asks = "Which group of non-GEMM operators takes the most time in each model?",
                            .paper = "Table IV",
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
