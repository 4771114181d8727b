// Figures 1 and 5, Section IV-A: how much of the latency is non-GEMM before and after GEMM is accelerated.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

std::vector<PlanPart> plan(const StudySetting& setting) {
  std::vector<PlanPart> parts = paper_parts(setting, "cpu", {"--batch", setting.quick ? "1" : "1,8"});
  for (PlanPart& part : paper_parts(setting, setting.accelerator, {"--batch", setting.quick ? "1" : "1,8"})) {
    parts.push_back(std::move(part));
  }
  if (setting.quick) return parts;
  for (PlanPart& part : further_parts(setting, setting.accelerator, {"--batch", "1"})) parts.push_back(std::move(part));
  return parts;
}

std::vector<const Run*> paper_runs(const Evidence& evidence, bool on_host) {
  std::vector<const Run*> runs;
  for (const std::string& model : paper::model_names()) {
    const Run* run = evidence.torch(model, on_host);
    if (run != nullptr && run->measured) runs.push_back(run);
  }
  return runs;
}

ThreeShares mean(const std::vector<const Run*>& runs, const GroupPredicate& counts) {
  std::vector<ThreeShares> shares;
  for (const Run* run : runs) shares.push_back(shares_of(*run, counts));
  return mean_of(shares);
}

/// Models of the paper whose names begin so, on a GPU.
std::vector<const Run*> family(const Evidence& evidence, const std::string& prefix) {
  std::vector<const Run*> runs = paper_runs(evidence, false);
  std::erase_if(runs, [&](const Run* run) { return !run->model.starts_with(prefix); });
  return runs;
}

bool is_normalization(const GroupTimes& group) { return group.id == "normalization"; }
bool is_activation(const GroupTimes& group) { return group.id == "activation"; }

class Claims {
 public:
  explicit Claims(const Evidence& evidence) : evidence_(evidence) {}

  void add(const char* where, const char* what, const std::vector<const Run*>& runs, const GroupPredicate& counts,
           double paper, const std::string& model) {
    const bool any = !runs.empty();
    rows_.push_back(share_claim(where, what, any ? mean(runs, counts) : ThreeShares{}, paper,
                                any ? differences_of(runs) : "", missing(model, std::string(what).find("CPU") == 0)));
  }
  std::vector<StudyShareRow> take() { return std::move(rows_); }

 private:
  std::string missing(const std::string& model, bool on_host) const {
    const std::vector<std::string> names = paper::model_names();
    const Run* run = model.empty() ? evidence_.find([&](const Run& one) {
      return one.on_host == on_host && std::find(names.begin(), names.end(), one.model) != names.end();
    })
                                   : evidence_.torch(model, on_host);
    return fmt::format("{} on {}: {}", model.empty() ? "the paper's models" : model, on_host ? "the CPU" : "a GPU",
                       why_not(run));
  }

  const Evidence& evidence_;
  std::vector<StudyShareRow> rows_;
};

std::vector<StudyShareRow> claims_of(const Evidence& evidence) {
  const auto cpu = paper_runs(evidence, true);
  const auto gpu = paper_runs(evidence, false);
  constexpr const char* kText = "Section IV-A, Figures 1 and 5";
  Claims claims(evidence);
  claims.add(kText, "CPU: non-GEMM, mean of the models", cpu, is_nongemm, 0.172, "");
  claims.add(kText, "GPU: non-GEMM, mean of the models", gpu, is_nongemm, 0.423, "");
  claims.add(kText, "GPU: memory operators in Swin", family(evidence, "swin"), is_memory, 0.32, "swin-t");
  claims.add(kText, "GPU: non-GEMM in DETR", family(evidence, "detr"), is_nongemm, 0.658, "detr");
  claims.add(kText, "GPU: normalization in DETR, platform A", family(evidence, "detr"), is_normalization, 0.35, "detr");
  claims.add(kText, "GPU: normalization in DETR, platform B", family(evidence, "detr"), is_normalization, 0.32, "detr");
  claims.add(kText, "GPU: memory operators in MaskFormer", family(evidence, "maskformer"), is_memory, 0.408,
             "maskformer");
  claims.add(kText, "GPU: non-GEMM in GPT2", family(evidence, "gpt2"), is_nongemm, 0.45, "gpt2");
  claims.add(kText, "GPU: activation in GPT2", family(evidence, "gpt2"), is_activation, 0.264, "gpt2");
  // The abstract gives ranges over models and platforms: their ends.
  const auto end = [&](const std::vector<const Run*>& runs, bool most) {
    std::vector<const Run*> one;
    for (const Run* run : runs) {
      const double share = compared(nongemm_shares(*run));
      const bool better = one.empty() || (share > compared(nongemm_shares(*one.front()))) == most;
      if (better) one = {run};
    }
    return one;
  };
  std::vector<const Run*> both = cpu;
  both.insert(both.end(), gpu.begin(), gpu.end());
  claims.add("Abstract", "GPU: non-GEMM, least of the models", end(gpu, false), is_nongemm, 0.113, "");
  claims.add("Abstract", "GPU: non-GEMM, most of the models", end(gpu, true), is_nongemm, 0.736, "");
  claims.add(
      "Abstract", "GEMM, least of all", end(both, true), [](const GroupTimes& g) { return g.gemm; }, 0.428, "");
  claims.add(
      "Abstract", "GEMM, most of all", end(both, false), [](const GroupTimes& g) { return g.gemm; }, 0.966, "");
  return claims.take();
}

std::vector<StudyTaskRow> tasks_of(const std::vector<const Run*>& runs) {
  std::vector<StudyTaskRow> rows;
  std::map<std::tuple<std::string, std::string, std::int64_t>, std::vector<const Run*>> parts;
  std::vector<std::tuple<std::string, std::string, std::int64_t>> order;
  for (const Run* run : runs) {
    for (const std::string& task : {std::string("all"), run->task.empty() ? std::string("other") : run->task}) {
      const auto key = std::make_tuple(task, run->device, run->batch);
      auto& part = parts[key];
      if (part.empty()) order.push_back(key);
      part.push_back(run);
    }
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<1>(a), std::get<2>(a)) < std::tie(std::get<1>(b), std::get<2>(b));
  });
  for (const auto& key : order) {
    StudyTaskRow row{std::get<0>(key), std::get<1>(key), std::get<2>(key), 0, {}, kNotMeasured, kNotMeasured};
    std::vector<ThreeShares> shares;
    for (const Run* run : parts[key]) shares.push_back(nongemm_shares(*run));
    row.models = static_cast<std::int64_t>(shares.size());
    row.nongemm = mean_of(shares);
    for (const ThreeShares& share : shares) {
      if (!(share.charged >= row.least)) row.least = share.charged;
      if (!(share.charged <= row.most)) row.most = share.charged;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<StudySentence> reading(const Evidence& evidence, const std::vector<StudyShareRow>& claims) {
  std::vector<StudySentence> sentences;
  std::vector<const Run*> cpu;
  std::vector<const Run*> gpu;
  for (const Run* run : paper_runs(evidence, true)) {
    const Run* other = evidence.torch(run->model, false);
    if (other == nullptr || !other->measured) continue;
    cpu.push_back(run);
    gpu.push_back(other);
  }
  if (!cpu.empty()) {
    const ThreeShares before = mean(cpu, is_nongemm);
    const ThreeShares after = mean(gpu, is_nongemm);
    sentences.push_back(
        {"Acceleration",
         fmt::format(
             "Over {} models that ran on both, non-GEMM operators go from {} of the time on the CPU to {} on the GPU "
             "as the published tool counts (the paper: 17.2 % to 42.3 %), from {} to {} of the wall time with waits "
             "charged, and from {} to {} of the time in operators.",
             cpu.size(), percent(before.published), percent(after.published), percent(before.charged),
             percent(after.charged), percent(before.device), percent(after.device))});
  } else {
    sentences.push_back({"Acceleration",
                         "No model has figures both of a CPU and of a GPU: the step that the paper shows "
                         "cannot be told from these runs."});
  }
  sentences.push_back(agreement(claims));
  const ThreeShares all = mean(paper_runs(evidence, false), is_nongemm);
  if (!std::isnan(all.published)) {
    sentences.push_back(
        {"Counting",
         fmt::format("Host and device times added up make {} of what is {} of the device's own work: host time "
                     "overlaps the device's and is counted as if it did not.",
                     percent(all.published), percent(all.device))});
  }
  return sentences;
}

std::vector<Table> tables(const Evidence& evidence) {
  const auto is_point = [](const Run& run) { return run.flow == kBaselineFlow && run.quantize.empty(); };
  const auto runs = evidence.select(is_point);
  std::vector<const Run*> measured_runs = runs;
  std::erase_if(measured_runs, [](const Run* run) { return !run->measured; });
  const std::vector<StudyShareRow> claims = claims_of(evidence);
  std::vector<StudySentence> sentences = reading(evidence, claims);
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_share_table(claims),
          make_study_task_table(tasks_of(measured_runs)), make_study_run_table(run_rows(runs))};
}

}  // namespace

const Study& acceleration_study() {
  static const Study kStudy{.name = "acceleration",
                            .title = "CPU against GPU",
                            .asks = "How much of the latency is non-GEMM before and after GEMM is accelerated?",
                            .paper = "Figures 1 and 5",
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
