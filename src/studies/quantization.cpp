// Figure 8, Section IV-C: LLM.int8 on Llama 3, from 512 to 8192 tokens.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

constexpr std::string_view kPublished = "llm.int8 published";

std::vector<PlanPart> plan(const StudySetting& setting) {
  if (setting.quick) {
    return {{{"gpt2"},
             joined_words({"--device", "cpu", "--seq-len", "64", "--quantize", "none,llm.int8", "--set",
                           "quantize.way=published", "--no-limits"},
                          measuring(setting))}};
  }
  const std::vector<std::string> common = joined_words({"--device", setting.accelerator, "--dtype", "fp16", "--seq-len",
                                                        "512,1024,2048,4096,8192", "--no-limits", "--quantize"},
                                                       {"none,llm.int8"});
  // As bitsandbytes runs it, which the paper measured, and as it could run.
  return {{{"llama3-8b"}, joined_words(joined_words(common, {"--set", "quantize.way=published"}), measuring(setting))},
          {{"llama3-8b"}, joined_words(common, measuring(setting))}};
}

/// The paper counts scaling around products to element-wise arithmetic.
bool is_arithmetic(const GroupTimes& group) { return group.id == "arithmetic" || group.id == "quantization"; }
/// Operators in which the host asks the device: "are there outliers?". Most of their time it waits.
bool asks(const GroupTimes& group) { return group.id == "synchronisation"; }
bool is_arithmetic_or_asks(const GroupTimes& group) { return is_arithmetic(group) || asks(group); }

double sum(const Run& run, bool gemm) {
  double seconds = 0;
  for (const GroupTimes& group : run.groups) {
    if (group.gemm == gemm) seconds += group.time_s;
  }
  return seconds;
}

double nongemm_nodes(const Run& run) {
  double nodes = 0;
  for (const GroupTimes& group : run.groups) nodes += group.gemm ? 0.0 : static_cast<double>(group.nodes);
  return nodes;
}

const Run* as_it_is(const Evidence& evidence, const Run& run) {
  return evidence.find([&](const Run& other) {
    return other.quantize.empty() && other.model == run.model && other.flow == run.flow && other.device == run.device &&
           other.dtype == run.dtype && other.batch == run.batch && other.tokens == run.tokens;
  });
}

StudyQuantizationRow row_of(const Evidence& evidence, const Run& run) {
  StudyQuantizationRow row;
  row.model = run.on_host ? run.model + " (CPU)" : run.model;
  row.scheme = run.quantize;
  row.tokens = run.tokens;
  row.after_s = run.latency_s;
  row.nongemm = nongemm_shares(run);
  row.arithmetic = shares_of(run, is_arithmetic);
  row.reason = why_not(&run);
  const Run* before = as_it_is(evidence, run);
  if (before == nullptr || !before->measured || !run.measured) return row;
  row.before_s = before->latency_s;
  row.nongemm_before = nongemm_shares(*before);
  row.gemm_ratio = sum(run, true) / sum(*before, true);
  row.nongemm_ratio = sum(run, false) / sum(*before, false);
  row.nodes_added = nongemm_nodes(run) - nongemm_nodes(*before);
  return row;
}

bool is_paper_row(const StudyQuantizationRow& row) {
  return row.model == "llama3-8b" && row.scheme == kPublished && !std::isnan(row.before_s);
}

template <typename Value>
double mean_over(const std::vector<StudyQuantizationRow>& rows, Value&& value) {
  double sum = 0;
  std::size_t count = 0;
  for (const StudyQuantizationRow& row : rows) {
    if (!is_paper_row(row)) continue;
    sum += value(row);
    ++count;
  }
  return count == 0 ? kNotMeasured : sum / static_cast<double>(count);
}

ThreeShares mean_shares(const std::vector<StudyQuantizationRow>& rows, ThreeShares StudyQuantizationRow::*which) {
  std::vector<ThreeShares> shares;
  for (const StudyQuantizationRow& row : rows) {
    if (is_paper_row(row)) shares.push_back(row.*which);
  }
  return mean_of(shares);
}

bool is_published(const Run& run) { return run.model == "llama3-8b" && run.quantize == kPublished && !run.on_host; }

/// Runs as bitsandbytes dispatches them, each after the same model as it is.
struct Pairs {
  std::vector<const Run*> before;
  std::vector<const Run*> after;
};

/// Those of which both are measured: what the means are of.
Pairs measured_pairs(const Evidence& evidence) {
  Pairs pairs;
  for (const Run* run : evidence.select(is_published)) {
    const Run* plain = as_it_is(evidence, *run);
    if (!run->measured || plain == nullptr || !plain->measured) continue;
    pairs.before.push_back(plain);
    pairs.after.push_back(run);
  }
  return pairs;
}

std::string why_missing(const Run* run) {
  return fmt::format("llama3-8b with llm.int8 as bitsandbytes dispatches it, on a GPU: {}", why_not(run));
}

/// What decides the figures of a run besides the way of counting.
std::string setting_of(const Run& run) {
  return fmt::format("{} here, {}; how many columns hold outliers decides the work, and weights here are {}",
                     run.device, run.dtype, run.point->setting("weights"));
}

struct Claims {
  std::vector<StudyShareRow> shares;
  std::vector<StudyNumberRow> numbers;
};

Claims claims_of(const Evidence& evidence, const std::vector<StudyQuantizationRow>& rows) {
  constexpr const char* kWhere = "Section IV-C, Figure 8";
  const Pairs pairs = measured_pairs(evidence);
  const std::string missing = why_missing(evidence.find(is_published));
  const std::string setting = pairs.after.empty() ? "" : setting_of(*pairs.after.front());
  Claims claims;
  const auto mean = [&](const char* what, ThreeShares StudyQuantizationRow::*which, double paper,
                        const std::vector<const Run*>& runs, const std::string& reason) {
    const std::string why = runs.empty() ? "" : differences_of(runs) + reason;
    claims.shares.push_back(share_claim(kWhere, what, mean_shares(rows, which), paper, why, missing));
  };
  mean("non-GEMM as it is, mean over lengths", &StudyQuantizationRow::nongemm_before, 0.293, pairs.before, "");
  mean("non-GEMM with LLM.int8, mean over lengths", &StudyQuantizationRow::nongemm, 0.767, pairs.after, "; " + setting);
  for (const auto& [tokens, paper] : {std::pair<std::int64_t, double>{512, 0.318}, {8192, 0.638}}) {
    const Run* const run =
        evidence.find([&, at = tokens](const Run& one) { return is_published(one) && one.tokens == at; });
    claims.shares.push_back(
        share_claim(kWhere, fmt::format("arithmetic, scales and asking for outliers at {} tokens", tokens),
                    run == nullptr ? ThreeShares() : shares_of(*run, is_arithmetic_or_asks), paper,
                    run == nullptr ? "" : setting_of(*run) + "; a host that is slower or faster waits less or more",
                    why_missing(run)));
  }
  const auto number = [&](const char* what, const char* unit, double ours, double paper) {
    claims.numbers.push_back(number_claim(kWhere, what, unit, ours, paper, setting, missing));
  };
  number("non-GEMM operators added", "operators", mean_over(rows, [](const auto& row) { return row.nodes_added; }),
         6510);
  number("non-GEMM latency, times as long", "ratio", mean_over(rows, [](const auto& row) { return row.nongemm_ratio; }),
         5.6);
  number("GEMM latency, reduced by", "%", mean_over(rows, [](const auto& row) { return (1 - row.gemm_ratio) * 100; }),
         38.2);
  return claims;
}

/// How much of what the published tool counts as non-GEMM is the question and the waiting for its answer; nothing where
/// that way of counting was not measured.
std::vector<StudySentence> what_asking_is(const Evidence& evidence) {
  std::vector<StudySentence> sentences;
  for (const Run* run : evidence.select(is_published)) {
    const double nongemm = nongemm_shares(*run).published;
    const double asking = shares_of(*run, asks).published;
    if (std::isnan(nongemm) || std::isnan(asking)) continue;
    sentences.push_back(
        {fmt::format("Asking, {} tokens", run->tokens),
         fmt::format(
             "As the published tool counts, {} are non-GEMM: {:.1f} points of them operators in which the host asks "
             "whether there are outliers, and mostly waits for what the device still has to do. Of the device's own "
             "time {} are.",
             percent(nongemm), asking * 100, percent(nongemm_shares(*run).device))});
  }
  return sentences;
}

std::vector<Table> tables(const Evidence& evidence) {
  std::vector<StudyQuantizationRow> rows;
  for (const Run& run : evidence.runs()) {
    if (!run.quantize.empty()) rows.push_back(row_of(evidence, run));
  }
  const Claims claims = claims_of(evidence, rows);
  std::vector<StudySentence> sentences = {agreement(claims.shares)};
  for (const StudyQuantizationRow& row : rows) {
    if (std::isnan(row.before_s)) continue;
    sentences.push_back(
        {fmt::format("{}, {} tokens", row.scheme, row.tokens),
         fmt::format(
             "{}: {} after {}; products take {:.2f} times as long as before, everything else {:.2f} times; non-GEMM "
             "goes from {} to {} with waits charged.",
             row.model, duration(row.after_s), duration(row.before_s), row.gemm_ratio, row.nongemm_ratio,
             percent(row.nongemm_before.charged), percent(row.nongemm.charged))});
  }
  for (StudySentence& sentence : what_asking_is(evidence)) sentences.push_back(std::move(sentence));
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_share_table(claims.shares),
          make_study_number_table(claims.numbers), make_study_quantization_table(rows),
          make_study_run_table(run_rows(evidence.select([](const Run&) { return true; })))};
}

}  // namespace

const Study& quantization_study() {
  static const Study kStudy{.name = "quantization",
                            .title = "Quantization",
                            .asks = "What does LLM.int8 do to the share of non-GEMM operators as sequences grow?",
                            .paper = "Figure 8",
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
