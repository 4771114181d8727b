// Beyond the paper: how much of the non-GEMM latency is launching and not work, flow by flow.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

std::vector<PlanPart> plan(const StudySetting& setting) {
  const std::vector<std::string> models =
      setting.quick ? std::vector<std::string>{"gpt2", "swin-t"}
                    : std::vector<std::string>{"vit-b", "swin-t", "detr", "gpt2", "bert", "llama3-8b"};
  std::vector<PlanPart> parts = flow_parts(setting, models, {"--batch", "1", "--no-limits"}, /*host=*/false);
  // A replay is PyTorch's: other flows have none to ask for.
  for (PlanPart& part : parts) {
    const auto at = std::find(part.words.begin(), part.words.end(), "--flow");
    if (at != part.words.end() && *(at + 1) == kBaselineFlow) part.words.emplace_back("--cuda-graph");
  }
  return parts;
}

StudyLaunchRow row_of(const Run& run) {
  StudyLaunchRow row;
  row.model = run.model;
  row.flow = run.flow;
  row.latency_s = run.latency_s;
  row.reason = why_not(&run);
  if (!run.measured) return row;
  row.busy_s = row.nongemm_s = row.work_s = 0;
  for (const GroupTimes& group : run.groups) {
    row.busy_s += group.time_s;
    if (group.gemm) continue;
    row.work_s += group.time_s;
    row.nongemm_s += group.time_s + group.gap_s;
  }
  if (row.nongemm_s > 0) row.launching = 1 - row.work_s / row.nongemm_s;
  const Table* groups = find_table(*run.point, "groups");
  double kernels = 0;
  for (std::size_t r = 0; r < groups->rows.size(); ++r) kernels += number_at(*groups, r, "kernels");
  row.kernels = kernels;
  row.replay_s = run.figure("replay", "latency");
  row.replay_share = run.figure("replay", "nongemm_share");
  return row;
}

std::vector<Table> tables(const Evidence& evidence) {
  std::vector<StudyLaunchRow> rows;
  std::vector<StudySentence> sentences;
  const auto on_device = evidence.select([](const Run& run) { return !run.on_host && run.quantize.empty(); });
  for (const Run* run : on_device) {
    if (run->batch == 1) rows.push_back(row_of(*run));
  }
  for (const StudyLaunchRow& row : rows) {
    if (std::isnan(row.launching)) continue;
    std::string text = fmt::format("{}: {} of the non-GEMM latency is waiting for launches, {} of {} is work.",
                                   row.model, percent(row.launching), duration(row.work_s), duration(row.nongemm_s));
    if (!std::isnan(row.replay_s)) {
      text += fmt::format(" As one graph the inference takes {} in place of {}, and {} of it is non-GEMM.",
                          duration(row.replay_s), duration(row.latency_s), percent(row.replay_share));
    }
    if (sentences.size() < 12) sentences.push_back({row.flow, text});
  }
  if (sentences.empty()) {
    sentences.push_back({"Launching",
                         "A host works inside its calls and waits for no launch: this study is of GPUs, and "
                         "none was measured."});
  }
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_launch_table(rows),
          make_study_run_table(run_rows(on_device))};
}

}  // namespace

const Study& launch_study() {
  static const Study kStudy{.name = "launch",
                            .title = "Launching",
                            .asks = "How much of the non-GEMM latency is launching, and not work?",
                            .paper = "",
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
