// Beyond the paper: how near generation comes to the bandwidth limit, by batch and context.
#include <fmt/format.h>

#include <cmath>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

constexpr const char* kOption = "generate";

std::string not_available(const StudySetting& setting) {
  if (setting.has_option(kOption)) return "";
  return "this nongemm has no --generate: it runs one inference, and generates nothing";
}

std::vector<PlanPart> plan(const StudySetting& setting) {
  if (!setting.has_option(kOption)) return {};
  if (setting.quick) {
    return {
        {{"gpt2"},
         joined_words({"--device", "cpu", "--generate", "8", "--seq-len", "32", "--no-limits"}, measuring(setting))}};
  }
  return {{{"llama3-8b", "gpt2"},
           joined_words({"--device", setting.accelerator, "--dtype", "fp16", "--generate", "32", "--batch", "1,8,32",
                         "--seq-len", "512"},
                        measuring(setting))},
          {{"llama3-8b"},
           joined_words({"--device", setting.accelerator, "--dtype", "fp16", "--generate", "32", "--batch", "1",
                         "--seq-len", "2048,8000"},
                        measuring(setting))}};
}

std::vector<Table> tables(const Evidence& evidence) {
  std::vector<StudySentence> sentences;
  const auto runs = evidence.select([](const Run&) { return true; });
  bool any = false;
  for (const Run* run : runs) {
    const double share = run->figure("decode", "bandwidth_share");
    if (std::isnan(share)) continue;
    any = true;
    sentences.push_back(
        {run->model, fmt::format("At batch {} a token takes {} of what reading the weights and the cache "
                                 "at the measured bandwidth would; the published figure of an H100 at "
                                 "batch 1 is 27 %.",
                                 run->batch, percent(share))});
  }
  if (!any) {
    sentences.push_back({"Decode",
                         "Not available: no run here generated tokens, which is what a share of the bandwidth "
                         "limit is of. The published figure to be held against is 27 % on an H100 at batch 1."});
  }
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_run_table(run_rows(runs))};
}

}  // namespace

const Study& decode_study() {
  static const Study kStudy{.name = "decode",
                            .title = "Decode",
                            .asks = "How near does generation come to the bandwidth limit, by batch and context?",
                            .paper = "",
                            .plan = plan,
                            .tables = tables,
                            .not_available = not_available};
  return kStudy;
}

}  // namespace nongemm
