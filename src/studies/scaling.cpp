// Beyond the paper: how shares move with batch and sequence.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <tuple>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

std::vector<PlanPart> plan(const StudySetting& setting) {
  const std::vector<std::string> more = joined_words({"--no-limits"}, measuring(setting));
  if (setting.quick) {
    return {{{"vit-b"}, joined_words({"--device", "cpu", "--batch", "1,2,4"}, more)},
            {{"gpt2"}, joined_words({"--device", "cpu", "--seq-len", "32,128,256"}, more)}};
  }
  const std::vector<std::string> gpu = joined_words({"--device", setting.accelerator, "--dtype", "fp16"}, more);
  return {{{"vit-b", "swin-t", "gpt2", "bert"}, joined_words(gpu, {"--batch", "1,2,4,8,16,32,64"})},
          {{"llama3-8b"}, joined_words(gpu, {"--seq-len", "128,256,512,1024,2048,4096,8192"})},
          {{"gpt2"}, joined_words(gpu, {"--seq-len", "128,256,512,1024"})}};
}

/// A series: points that differ in batch or in length alone, from the least to the most.
void add_series(const std::vector<const Run*>& runs, std::vector<StudySentence>& sentences) {
  const auto ends = [&](bool by_batch) {
    std::map<std::tuple<std::string, std::string, std::string, std::int64_t>, std::map<std::int64_t, const Run*>>
        series;
    for (const Run* run : runs) {
      if (!run->measured) continue;
      const std::int64_t fixed = by_batch ? run->tokens : run->batch;
      series[{run->model, run->device, run->dtype, fixed}].emplace(by_batch ? run->batch : run->tokens, run);
    }
    for (const auto& [key, points] : series) {
      if (points.size() < 2) continue;
      const auto& [least, first] = *points.begin();
      const auto& [most, last] = *points.rbegin();
      sentences.push_back(
          {fmt::format("{} on {}", first->model, first->device),
           fmt::format(
               "From {} {} to {} non-GEMM goes from {} to {} with waits charged, and from {} to {} of device time; "
               "{} takes {:.1f} times as long.",
               by_batch ? "batch" : "length", least, most, percent(nongemm_shares(*first).charged),
               percent(nongemm_shares(*last).charged), percent(nongemm_shares(*first).device),
               percent(nongemm_shares(*last).device), "an inference", last->latency_s / first->latency_s)});
    }
  };
  ends(true);
  ends(false);
}

std::vector<Table> tables(const Evidence& evidence) {
  const auto runs = evidence.select([](const Run& run) { return run.flow == kBaselineFlow && run.quantize.empty(); });
  std::vector<StudySentence> sentences;
  add_series(runs, sentences);
  if (sentences.empty()) sentences.push_back({"Scaling", "No model was measured at two batches or two lengths."});
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_run_table(run_rows(runs))};
}

}  // namespace

const Study& scaling_study() {
  static const Study kStudy{.name = "scaling",
                            .title = "Batch and sequence",
                            .asks = "How does the share of non-GEMM operators move with batch and sequence?",
                            .paper = "",
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
