// Figure 6, Section IV-B1: what a deployment flow does to the share of non-GEMM operators in language models.
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
  const std::vector<std::string> models =
      setting.quick ? std::vector<std::string>{"gpt2"} : std::vector<std::string>{"gpt2", "llama2-7b"};
  return flow_parts(setting, models, {"--batch", "1", "--no-limits"}, /*host=*/true);
}

bool is_paper_model(const Run& run) { return run.model == "gpt2" || run.model == "llama2-7b"; }
bool is_communication(const GroupTimes& group) { return group.id == "communication"; }
/// What the paper calls memory operators of ONNX Runtime holds the copies to the host and back.
bool is_memory_or_copy(const GroupTimes& group) { return is_memory(group) || is_communication(group); }

std::vector<const Run*> of_flow(const Evidence& evidence, const std::string& flow, bool on_host) {
  return evidence.select([&](const Run& run) {
    return run.measured && is_paper_model(run) && run.flow == flow && run.on_host == on_host && run.batch == 1 &&
           run.quantize.empty();
  });
}

ThreeShares mean(const std::vector<const Run*>& runs, const GroupPredicate& counts) {
  std::vector<ThreeShares> shares;
  for (const Run* run : runs) shares.push_back(shares_of(*run, counts));
  return mean_of(shares);
}

StudyShareRow claim(const Evidence& evidence, const char* what, const std::string& flow, const GroupPredicate& counts,
                    double paper) {
  const auto runs = of_flow(evidence, flow, false);
  const Run* any = evidence.find([&](const Run& run) { return run.flow == flow && !run.on_host; });
  const std::string missing = fmt::format("{} on a GPU: {}", flow, why_not(any));
  std::string reason = runs.empty() ? "" : differences_of(runs);
  if (!runs.empty() && flow == "ort") {
    double to_host = 0;
    for (const Run* run : runs) {
      const double copies = run->figure("fusion", "copies_to_host");
      to_host += std::isnan(copies) ? 0 : copies;
    }
    reason += fmt::format(
        "; ONNX Runtime copies {:.0f} tensors to the host an inference here, which the paper blames for "
        "most of its memory time",
        to_host / static_cast<double>(runs.size()));
  }
  return share_claim("Section IV-B1, Figure 6", what, runs.empty() ? ThreeShares{} : mean(runs, counts), paper, reason,
                     missing);
}

/// One sentence for each flow of a kind of device beside PyTorch.
void add_flows(const Evidence& evidence, bool on_host, std::vector<StudySentence>& sentences) {
  std::set<std::string> flows;
  for (const Run& run : evidence.runs()) {
    if (run.measured && run.on_host == on_host && run.flow != kBaselineFlow) flows.insert(run.flow);
  }
  for (const std::string& flow : flows) {
    for (const Run* run : of_flow(evidence, flow, on_host)) {
      const Run* torch = evidence.torch(run->model, on_host);
      if (torch == nullptr || !torch->measured) continue;
      sentences.push_back(
          {fmt::format("{} on {}", flow, run->device),
           fmt::format(
               "{}: {} against {} in PyTorch; non-GEMM {} against {} with waits charged, memory operators and copies "
               "{} against {}.",
               run->model, duration(run->latency_s), duration(torch->latency_s), percent(nongemm_shares(*run).charged),
               percent(nongemm_shares(*torch).charged), percent(shares_of(*run, is_memory_or_copy).charged),
               percent(shares_of(*torch, is_memory_or_copy).charged))});
    }
  }
}

std::vector<Table> tables(const Evidence& evidence) {
  const std::vector<StudyShareRow> claims = {
      claim(evidence, "PyTorch: non-GEMM, mean of GPT2 and Llama 2", kBaselineFlow, is_nongemm, 0.526),
      claim(evidence, "ONNX Runtime: non-GEMM, mean of GPT2 and Llama 2", "ort", is_nongemm, 0.8075),
      claim(evidence, "PyTorch: memory operators", kBaselineFlow, is_memory, 0.032),
      claim(evidence, "ONNX Runtime: memory operators and copies", "ort", is_memory_or_copy, 0.668),
  };
  std::vector<StudySentence> sentences = {agreement(claims)};
  add_flows(evidence, false, sentences);
  add_flows(evidence, true, sentences);
  for (StudySentence& sentence : missing_pieces(evidence)) sentences.push_back(std::move(sentence));
  return {make_study_reading_table(sentences), make_study_share_table(claims),
          make_study_run_table(run_rows(evidence.select([](const Run& run) { return run.quantize.empty(); })))};
}

}  // namespace

const Study& runtimes_study() {
  static const Study kStudy{.name = "runtimes",
                            .title = "Deployment flows",
                            .asks = "What does a deployment flow do to the share of non-GEMM operators?",
                            .paper = "Figure 6",
                            .plan = plan,
                            .tables = tables};
  return kStudy;
}

}  // namespace nongemm
