// Figure 7 and Table V, Section IV-B2: what operator fusion leaves of the non-GEMM latency.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "studies/all_studies.h"
#include "studies/claims.h"
#include "studies/plan.h"

namespace nongemm {
namespace {

std::vector<PlanPart> plan(const StudySetting& setting) {
  std::vector<std::string> models;
  for (const paper::FusionFigures& figures : paper::fusion()) models.emplace_back(figures.model);
  if (setting.quick) models = {"swin-t", "segformer"};
  // PyTorch comes first among the flows: the others are held against its run.
  return flow_parts(setting, models, {"--batch", "1", "--no-limits"}, /*host=*/true);
}

const paper::FusionFigures* paper_of(const std::string& model) {
  const auto all = paper::fusion();
  const auto at = std::find_if(all.begin(), all.end(), [&](const auto& figures) { return figures.model == model; });
  return at == all.end() ? nullptr : &*at;
}

/// Of the nodes of a group that the fused ones are.
double group_fused(const Run& run, std::string_view title) {
  const Table* table = find_table(*run.point, "fusion_groups");
  if (table == nullptr) return kNotMeasured;
  for (std::size_t r = 0; r < table->rows.size(); ++r) {
    if (to_plain(value_at(*table, r, "group")) == title) return number_at(*table, r, "fused");
  }
  return kNotMeasured;
}

/// Why nothing can be said of what a runtime made of the operators: its engine is one block for it, and kernels, which
/// tell, were not measured. Empty where it can.
std::string why_closed(const Run& run) {
  constexpr double kMost = 0.1;
  const double inside = run.figure("fusion", "opaque_share");
  if (!(inside > kMost) || !std::isnan(run.figure("performance", "device_busy"))) return "";
  return fmt::format("{} of the time is in blocks that {} does not open, and kernels were not measured",
                     percent(inside), run.flow);
}

/// Why there is no figure of what a run made of the operators; empty where there is one.
std::string untold(const Run* run) { return run != nullptr && run->measured ? why_closed(*run) : why_not(run); }

StudyFusionRow row_of(const Evidence& evidence, const Run& run) {
  StudyFusionRow row;
  row.model = run.model;
  row.flow = run.on_host ? run.flow + " (CPU)" : run.flow;
  row.rate = run.figure("fusion", "rate");
  row.before_s = run.figure("fusion", "nongemm_before");
  row.after_s = run.figure("fusion", "nongemm_time");
  row.speedup = run.figure("fusion", "nongemm_speedup");
  row.share_after = nongemm_shares(run).device;
  // A run that was gone on with has no other beside it: what was recorded of the same point in PyTorch has.
  const Run* torch = evidence.torch(run.model, run.on_host, run.batch);
  if (torch != nullptr && torch->measured) {
    row.share_before = nongemm_shares(*torch).device;
    row.before_s = 0;
    for (const GroupTimes& group : torch->groups) row.before_s += group.gemm ? 0 : group.time_s;
    if (run.measured && row.after_s > 0) row.speedup = row.before_s / row.after_s;
  }
  row.normalization_fused = group_fused(run, "Normalization");
  const double into = run.figure("fusion", "fused_into_gemm");
  const double among = run.figure("fusion", "fused_among_nongemm");
  if (into + among > 0) row.into_gemm = into / (into + among);
  row.reason = untold(&run);
  if (!row.reason.empty()) {
    row.rate = row.after_s = row.speedup = row.share_after = row.normalization_fused = row.into_gemm = kNotMeasured;
  }
  return row;
}

/// Table V is of TensorRT on a GPU; the runtime that takes its place is said.
const Run* compared_run(const Evidence& evidence, const std::string& model, const std::string& flow) {
  return evidence.find([&](const Run& run) {
    return run.model == model && run.flow == flow && !run.on_host && run.batch == 1 && run.quantize.empty();
  });
}

struct Claims {
  std::vector<StudyShareRow> shares;
  std::vector<StudyNumberRow> numbers;
};

void add_model(const Evidence& evidence, const paper::FusionFigures& figures, Claims& claims) {
  const std::string model(figures.model);
  const Run* torch = evidence.torch(model, false);
  const Run* after = compared_run(evidence, model, "tensorrt");
  const bool before_there = torch != nullptr && torch->measured;
  const std::string no_figure = untold(after);
  const bool after_there = no_figure.empty();
  const std::string no_before = fmt::format("torch on a GPU: {}", why_not(torch));
  const std::string no_after = fmt::format("tensorrt on a GPU: {}", no_figure);
  const std::string differs_before = before_there ? differences_of(*torch) : "";
  const std::string differs_after = after_there ? differences_of(*after) : "";
  constexpr const char* kTable = "Section IV-B2, Table V";
  claims.shares.push_back(share_claim(kTable, model + ": non-GEMM before fusion",
                                      before_there ? nongemm_shares(*torch) : ThreeShares{}, figures.share_before,
                                      differs_before, no_before));
  claims.shares.push_back(share_claim(kTable, model + ": non-GEMM after fusion",
                                      after_there ? nongemm_shares(*after) : ThreeShares{}, figures.share_after,
                                      differs_after, no_after));
  const double rate = after_there ? after->figure("fusion", "rate") : kNotMeasured;
  claims.shares.push_back(
      share_claim(kTable, model + ": fusion rate", {rate, rate, kNotMeasured}, figures.rate,
                  "our nodes are what PyTorch dispatches, without views; the paper does not say what "
                  "it counts",
                  no_after));
  const auto nongemm_ms = [](const Run* run, bool there) {
    double sum = 0;
    if (!there) return kNotMeasured;
    for (const GroupTimes& group : run->groups) sum += group.gemm ? 0 : group.time_s + group.gap_s;
    return sum * 1e3;
  };
  claims.numbers.push_back(number_claim(kTable, model + ": non-GEMM latency before fusion, waits charged", "ms",
                                        nongemm_ms(torch, before_there), figures.before_s * 1e3, differs_before,
                                        no_before));
  claims.numbers.push_back(number_claim(kTable, model + ": non-GEMM latency after fusion, waits charged", "ms",
                                        nongemm_ms(after, after_there), figures.after_s * 1e3, differs_after,
                                        no_after));
}

void add_patterns(const Evidence& evidence, Claims& claims) {
  struct Pattern {
    const char* model;
    const char* what;
    bool with_gemm;
    double paper;
  };
  constexpr Pattern kPatterns[] = {
      {"detr", "detr: batch normalizations fused into products (ours: all normalization nodes fused)", true, 1.0},
      {"segformer", "segformer: fused operators that run without a product", false, 0.978}};
  for (const Pattern& pattern : kPatterns) {
    const Run* run = compared_run(evidence, pattern.model, "tensorrt");
    double ours = kNotMeasured;
    const std::string no_figure = untold(run);
    if (no_figure.empty()) {
      const StudyFusionRow row = row_of(evidence, *run);
      ours = pattern.with_gemm ? row.normalization_fused : 1 - row.into_gemm;
    }
    claims.shares.push_back(share_claim("Section IV-B2", pattern.what, {ours, ours, kNotMeasured}, pattern.paper,
                                        "another version of TensorRT fuses otherwise",
                                        fmt::format("tensorrt on a GPU: {}", no_figure)));
  }
}

StudySentence sentence_of(const StudyFusionRow& row) {
  const bool faster = row.speedup >= 1;
  return {row.flow, fmt::format("{}: fuses {} of the non-GEMM nodes; their time is {} afterwards, {} by a factor of "
                                "{:.2f}, and they are still "
                                "{} of the time in operators.",
                                row.model, percent(row.rate), duration(row.after_s), faster ? "shorter" : "longer",
                                faster ? row.speedup : 1 / row.speedup, percent(row.share_after))};
}

std::vector<Table> tables(const Evidence& evidence) {
  Claims claims;
  for (const paper::FusionFigures& figures : paper::fusion()) add_model(evidence, figures, claims);
  add_patterns(evidence, claims);
  std::vector<StudyFusionRow> rows;
  for (const Run& run : evidence.runs()) {
    if (run.flow == kBaselineFlow || !run.quantize.empty()) continue;
    StudyFusionRow row = row_of(evidence, run);
    if (const paper::FusionFigures* figures = paper_of(run.model); figures != nullptr && run.flow == "tensorrt") {
      row.paper_rate = figures->rate;
      row.paper_speedup = figures->before_s / figures->after_s;
    }
    rows.push_back(std::move(row));
  }
  std::vector<StudySentence> sentences = {agreement(claims.shares)};
  for (const StudyFusionRow& row : rows) {
    if (!std::isnan(row.speedup)) sentences.push_back(sentence_of(row));
  }
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_share_table(claims.shares),
          make_study_number_table(claims.numbers), make_study_fusion_table(rows),
          make_study_run_table(run_rows(evidence.select([](const Run& run) { return run.quantize.empty(); })))};
}

}  // namespace

const Study& fusion_study() {
  static const Study kStudy{.name = "fusion",
                            .title = "Operator fusion",
                            .asks = "What does operator fusion leave of the non-GEMM latency?",
                            .paper = "Figure 7 and Table V",
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
