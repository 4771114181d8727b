#include "analysis/quantization.h"

#include <array>
#include <limits>

namespace nongemm {
namespace {

constexpr double kNotTold = std::numeric_limits<double>::quiet_NaN();

constexpr std::array kTitles = {
    "products",         "quantize",          "dequantize",          "outliers: search",
    "outliers: gather", "outliers: product", "host: are there any", "all else",
};

/// passes/llm_int8.cpp names the steps of a layer that PyTorch's own operators make.
struct Step {
  std::string_view module;
  std::string_view variant;
  QuantizationCause cause;
};
constexpr std::array kSteps = {
    Step{"Int8OutlierSearch", "OutlierSearch", QuantizationCause::kOutlierSearch},
    Step{"Int8OutlierGather", "OutlierGather", QuantizationCause::kOutlierGather},
    Step{"Int8OutlierProduct", "OutlierProduct", QuantizationCause::kOutlierProduct},
    Step{"Int8HostDecision", "HostDecision", QuantizationCause::kHostDecision},
    Step{"", "Quantize", QuantizationCause::kQuantize},
    Step{"", "Dequantize", QuantizationCause::kDequantize},
};

/// Host and device times added up, as the published tool does: waits count as the operator's in which they are.
double paper_share(const Analysis& analysis) {
  double all = 0;
  double gemm = 0;
  for (const NodeRow& row : analysis.nodes) {
    const double both = analysis.on_device ? row.host_s + row.device_s : row.time_s;
    all += both;
    if (row.group == Group::kGemm || (row.group == Group::kAttention && analysis.attention_is_gemm)) gemm += both;
  }
  return all > 0 ? 1.0 - gemm / all : 0.0;
}

double plain_share(const Analysis& analysis) {
  const double all = analysis.gemm_s + analysis.nongemm_s;
  return all > 0 ? analysis.nongemm_s / all : 0.0;
}

void add_before(const NodeRow& row, CauseRow& sum) {
  ++sum.nodes_before;
  sum.kernels_before += row.kernels;
  sum.time_before_s += row.time_s;
}

void add_after(const NodeRow& row, CauseRow& sum) {
  ++sum.nodes;
  sum.kernels += row.kernels;
  sum.time_s += row.time_s;
  sum.gap_s += row.gap_s;
  sum.wait_s += row.wait_s;
  sum.host_s += row.host_s;
}

}  // namespace

QuantizationCause cause_of(const NodeRow& row) {
  for (const Step& step : kSteps) {
    if (!step.module.empty() && row.module == step.module) return step.cause;
    if (row.group == Group::kQuantization && row.variant == step.variant) return step.cause;
  }
  return row.group == Group::kGemm ? QuantizationCause::kProducts : QuantizationCause::kOther;
}

QuantizationFigures quantization_figures(const Unquantized& before, const Unquantized& after) {
  QuantizationFigures figures{.latency_before_s = before.latency_s,
                              .latency_s = after.latency_s,
                              .peak_before_bytes = before.peak_bytes,
                              .peak_bytes = after.peak_bytes,
                              .weights_before_bytes = before.weight_bytes,
                              .weights_bytes = after.weight_bytes,
                              .perplexity_before = before.perplexity,
                              .perplexity = after.perplexity,
                              .perplexity_tokens = after.perplexity_tokens};
  std::array<CauseRow, kTitles.size()> sums;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i].cause = static_cast<QuantizationCause>(i);
    sums[i].title = kTitles[i];
  }
  figures.total.title = "total";
  for (const NodeRow& row : before.analysis.nodes) {
    add_before(row, sums[static_cast<std::size_t>(cause_of(row))]);
    add_before(row, figures.total);
  }
  for (const NodeRow& row : after.analysis.nodes) {
    add_after(row, sums[static_cast<std::size_t>(cause_of(row))]);
    add_after(row, figures.total);
  }
  if (!after.analysis.on_device) figures.total.wait_s = kNotTold;
  figures.paper_share_before = paper_share(before.analysis);
  figures.paper_share = paper_share(after.analysis);
  figures.share_before = plain_share(before.analysis);
  figures.share = plain_share(after.analysis);
  for (CauseRow& sum : sums) {
    if (sum.nodes == 0 && sum.nodes_before == 0) continue;
    sum.without_s = after.analysis.wall_s - sum.time_s - sum.gap_s;
    if (!after.analysis.on_device) sum.gap_s = sum.wait_s = kNotTold;
    figures.causes.push_back(sum);
  }
  return figures;
}

}  // namespace nongemm
