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
  std::vector<PlanPart> parts;
  const auto add = [&](const char* model, const char* batch, const char* prompt,
                       const std::vector<std::string>& words) {
    parts.push_back(
        {{model}, joined_words(joined_words({"--batch", batch, "--prompt", prompt}, words), measuring(setting))});
  };
  if (setting.quick) {
    add("gpt2", "1", "32", {"--device", "cpu", "--generate", "8"});
    return parts;
  }
  const std::vector<std::string> gpu = {"--device", setting.accelerator, "--dtype", "fp16",        "--generate",
                                        "32",       "--cache",           "static",  "--cuda-graph"};
  for (const char* batch : {"1", "8", "32"}) add("llama3-8b", batch, "512", gpu);
  for (const char* prompt : {"2048", "7900"}) add("llama3-8b", "1", prompt, gpu);
  add("gpt2", "1", "512", gpu);
  return parts;
}

StudyDecodeRow row_of(const Run& run) {
  constexpr const char* kTable = "generation";
  StudyDecodeRow row;
  row.model = run.model;
  row.device = run.device;
  row.dtype = run.dtype;
  row.reason = run.point->status.reason;
  const double batch = run.figure(kTable, "batch");
  const double prompt = run.figure(kTable, "prompt");
  if (std::isnan(batch) || std::isnan(prompt)) return row;
  row.batch = static_cast<std::int64_t>(batch);
  row.context = static_cast<std::int64_t>(prompt);
  row.token_s = run.figure(kTable, "token");
  row.limit_s = run.figure(kTable, "limit");
  row.of_limit = row.limit_s / row.token_s;
  row.replayed_s = run.figure(kTable, "replayed_token");
  row.replayed_of_limit = row.limit_s / row.replayed_s;
  const Table* phases = find_table(*run.point, "phases");
  for (std::size_t r = 0; phases != nullptr && r < phases->rows.size(); ++r) {
    if (to_plain(value_at(*phases, r, "phase")) == "decode") row.nongemm_share = number_at(*phases, r, "nongemm_share");
  }
  return row;
}

std::vector<Table> tables(const Evidence& evidence) {
  constexpr double kPublished = 0.27;
  std::vector<StudyDecodeRow> rows;
  std::vector<StudySentence> sentences;
  for (const Run& run : evidence.runs()) {
    const bool generates = find_table(*run.point, "generation") != nullptr;
    if (generates || !run.point->status.ok()) rows.push_back(row_of(run));
  }
  for (const StudyDecodeRow& row : rows) {
    if (std::isnan(row.of_limit)) continue;
    std::string text = fmt::format(
        "At batch {} after {} tokens a step reaches {} of what reading weights and cache at the "
        "measured rate allows",
        row.batch, row.context, percent(row.of_limit));
    if (!std::isnan(row.replayed_of_limit)) text += fmt::format(", {} as a CUDA graph", percent(row.replayed_of_limit));
    sentences.push_back({fmt::format("{} on {}", row.model, row.device), text + "."});
    if (row.batch == 1 && !row.device.starts_with("cpu")) {
      sentences.push_back(
          {"Published", fmt::format("For an H100 at batch 1 {} is published; here, launched one by one, it "
                                    "is {}.",
                                    percent(kPublished), percent(row.of_limit))});
    }
  }
  if (sentences.empty()) {
    sentences.push_back({"Decode",
                         "Not available: no run here generated tokens at known limits, which is what a share of "
                         "the bandwidth limit is of. Published for an H100 at batch 1 is 27 %."});
  }
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_decode_table(rows)};
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
